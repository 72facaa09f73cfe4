/** Why hosts cannot be moved from one stack to another. */
import { listed } from "../../output/text";

export const migrationMessages = {
  movedByTags: (stack: string): string =>
    `${stack}: its workspace is found by tags, and a script cannot know which one that is; give workspaces.name`,
  movedBackend: (stack: string): string =>
    `${stack}: its state is elsewhere in the earlier file; change that in a step of its own (terraform init ` +
    "-migrate-state), before or after",
  sameState: (stack: string, other: string): string =>
    `${stack} and ${other} have the same state; write {stack} into the settings of the backend`,
  leftBehind: (host: string, stack: string): string =>
    `hosts.${host}: is not in the other file, and its stack ${stack} is no longer made, so that it would stay ` +
    "locked and in no plan; take it out in a deploy of its own, before the stacks change",
  changedToo: (key: string): string =>
    `${key}: differs from the other file; change it in a deploy of its own, before or after the stacks change`,
  nothingToMove: (): string => "No host changes its stack: there is nothing to move.",

  // The states
  noneFound: (stacks: readonly string[]): string =>
    `no host that is to move is in the states of ${listed(stacks, 5)}, and nothing was moved; run the script where the ` +
    "fleet's app runs, with the workspace and the credentials that its stacks are deployed with. If none was ever " +
    "deployed, there is nothing to move",
  notStateFile: (stack: string): string =>
    `${stack}: the output of terraform state pull is not a state of version 4, the only one known here; ` +
    "nothing was changed by this step",
  inBoth: (host: string, from: string, to: string): string =>
    `${host} is in the states of ${from} and of ${to}, with another lock in each, and nothing was changed by this step; ` +
    "see which one the host has (ssh-only-firewall status --live), and take the other out (terraform state rm)",
  notArrived: (host: string, from: string, to: string): string =>
    `${host} is in the state of ${from}, and not or not as a whole in that of ${to}; it was not taken out; run the script again`,
} as const;
