/** Reads a fleet file as text, in bounded time and memory whatever it is. */
import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { userInfo } from "node:os";
import { basename, dirname } from "node:path";
import { FleetFileError } from "./fleet-file-error";
import { COMMAND, fleetFileMessages } from "./fleet-file-messages";

export const DEFAULT_FILE = "fleet.yaml";

/** 100,000 hosts, each with its host key. */
const MOST_BYTES = 16 * 2 ** 20;
/** For pipes, whose writer may be slow. */
const MOST_SECONDS = 20;
const WAIT_MILLISECONDS = 20;

export function readText(file: string): string {
  const failed = (why: string): FleetFileError => new FleetFileError([`${file}: ${why}`]);
  let bytes: Buffer;
  try {
    bytes = readBytes(file);
  } catch (error) {
    throw failed(whyUnreadable(file, error as NodeJS.ErrnoException));
  }
  if (bytes.length > MOST_BYTES) {
    throw failed(fleetFileMessages.tooLarge(MOST_BYTES));
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw failed(fleetFileMessages.notUtf8());
  }
}

/** Of what is larger, one byte more than allowed. */
function readBytes(file: string): Buffer {
  // Without O_NONBLOCK, opening a pipe waits for its writer.
  const descriptor = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const mayWait = !fstatSync(descriptor).isFile();
    const deadline = Date.now() + MOST_SECONDS * 1000;
    const bytes = Buffer.alloc(MOST_BYTES + 1);
    let length = 0;
    while (length < bytes.length) {
      const count = readSome(descriptor, bytes.subarray(length));
      if (count === 0 && (length > 0 || !mayWait)) {
        break;
      }
      if (Date.now() > deadline) {
        throw new Error(fleetFileMessages.noEnd(MOST_SECONDS));
      }
      if (count === 0 || count === undefined) {
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, WAIT_MILLISECONDS);
      }
      length += count ?? 0;
    }
    return bytes.subarray(0, length);
  } finally {
    closeSync(descriptor);
  }
}

/** Undefined where a pipe has nothing yet; 0 where it has ended, or has no writer yet. */
function readSome(descriptor: number, bytes: Buffer): number | undefined {
  try {
    return readSync(descriptor, bytes);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EAGAIN") {
      return undefined;
    }
    throw error;
  }
}

function whyUnreadable(file: string, error: NodeJS.ErrnoException): string {
  switch (error.code) {
    case "ENOENT":
      return fleetFileMessages.notThere(basename(file) === DEFAULT_FILE ? initCommand(dirname(file)) : undefined);
    case "EISDIR":
      return fleetFileMessages.isDirectory();
    case "EACCES":
      return fleetFileMessages.notReadable(userInfo().username);
    default:
      return fleetFileMessages.cannotRead(error.message);
  }
}

function initCommand(directory: string): string {
  return `${COMMAND} init${directory === "." ? "" : ` ${directory}`}`;
}
