/** How hosts record which stack, construct and workspace has locked them: in characters that need no quoting anywhere. */
import { createHash } from "node:crypto";

/** Longer ones are cut, and end in a hash that distinguishes them. */
const MOST_CHARACTERS = 200;

/** The path of a stack or a construct, in percent-encoding: letters, digits and `/ - _ . ~ %` only. */
export function encodedPath(path: string): string {
  const encoded = path.split("/").map(encodedSegment).join("/");
  return encoded.length <= MOST_CHARACTERS
    ? encoded
    : `${encoded.slice(0, MOST_CHARACTERS)}~${createHash("sha256").update(encoded).digest("hex")}`;
}

function encodedSegment(segment: string): string {
  return encodeURIComponent(Buffer.from(segment).toString()).replace(
    /[!'()*]/g,
    (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** For people; what cannot be decoded stays as it is. */
export function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
