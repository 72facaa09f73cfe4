/** A state file of version 4, as `terraform state pull` prints it and `terraform state push` takes it. */
import { type Json, list, object, text } from "./json";
import { StateError, stateProblems } from "./state-error";

export interface FileInstance {
  readonly index_key?: unknown;
  readonly status?: unknown;
  readonly deposed?: unknown;
  readonly attributes?: unknown;
}

export interface FileResource {
  readonly module?: string;
  readonly mode: string;
  readonly type: string;
  readonly name: string;
  readonly instances: readonly FileInstance[];
}

/** With all that is in it, whether it is read here or not: it may be written again. */
export interface StateFile {
  readonly version: 4;
  readonly terraform_version: string;
  readonly serial: number;
  readonly lineage: string;
  readonly outputs?: Json;
  readonly resources: readonly FileResource[];
}

export function parseStateFile(document: Json): StateFile {
  if (document.version !== 4) {
    throw new StateError(stateProblems.unknownVersion(String(document.version)));
  }
  const resources = list(document.resources, "resources").map((one, index) => {
    const place = `resources[${index}]`;
    const resource = object(one, place);
    text(resource.type, `${place}.type`);
    text(resource.name, `${place}.name`);
    const instances = list(resource.instances, `${place}.instances`);
    return { ...resource, instances: instances.map((each, at) => object(each, `${place}.instances[${at}]`)) };
  });
  return { ...document, resources } as unknown as StateFile;
}

export interface PlacedInstance {
  readonly resource: FileResource;
  readonly instance: FileInstance;
  /** In the file, for messages. */
  readonly place: string;
}

export const instancesIn = (file: StateFile): readonly PlacedInstance[] =>
  file.resources.flatMap((resource, index) =>
    resource.instances.map((instance, at) => ({ resource, instance, place: `resources[${index}].instances[${at}]` })),
  );
