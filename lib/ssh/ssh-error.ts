/** Why hosts cannot be asked at all. */
import { Failure } from "../output/failure";

export class SshError extends Failure {}

export const noSsh = (): SshError => new SshError("ssh is not installed here; install the OpenSSH client");
