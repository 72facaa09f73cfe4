/** The null provider of the user's project; the entry for cdktn has `plain-null-provider.ts` in place of this file. */
export { NullProvider } from "@cdktf/provider-null/lib/provider";
export { Resource as NullResource } from "@cdktf/provider-null/lib/resource";
