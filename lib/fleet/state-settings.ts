/**
 * Where the states are kept: the key `terraform` of a fleet file. Below `backend` and `cloud` stand Terraform's own
 * settings under its own names, as in its documentation; here is looked only for what cannot be right in a fleet file.
 */
import { checkKeys, isObject, placeOf } from "../input/keys";
import type { Problems } from "../input/problems";
import { plainText } from "../input/text";
import { valueMessages } from "../input/value-messages";
import { stackMessages } from "./stack-messages";

export interface StateSettings {
  /** A backend as Terraform calls it, or `cloud`. */
  readonly kind: string;
  readonly settings: Readonly<Record<string, unknown>>;
  /** OpenTofu's block `encryption`, as its JSON has it. @default - none */
  readonly encryption?: Readonly<Record<string, unknown>>;
}

/** cdktf's own default. */
export const LOCAL_STATE: StateSettings = { kind: "local", settings: { path: "terraform.{stack}.tfstate" } };

/** What stands for the name of the stack. */
export const PLACEHOLDER = "{stack}";

interface Kind {
  /** The settings that decide which state it is: one of them names the stack. */
  readonly names: readonly string[];
  /** Settings that decide which lock it is, and must name the stack where they are set. */
  readonly locks?: readonly string[];
  /** Settings that are secrets, each with the environment variable that Terraform takes it from. */
  readonly secrets?: Readonly<Record<string, string>>;
}

const KINDS: Readonly<Record<string, Kind>> = {
  azurerm: {
    names: ["key", "container_name", "storage_account_name"],
    secrets: {
      access_key: "ARM_ACCESS_KEY",
      sas_token: "ARM_SAS_TOKEN",
      client_secret: "ARM_CLIENT_SECRET",
      client_certificate: "ARM_CLIENT_CERTIFICATE",
      client_certificate_password: "ARM_CLIENT_CERTIFICATE_PASSWORD",
      oidc_request_token: "ARM_OIDC_REQUEST_TOKEN",
      oidc_token: "ARM_OIDC_TOKEN",
    },
  },
  consul: { names: ["path"], secrets: { access_token: "CONSUL_HTTP_TOKEN", http_auth: "CONSUL_HTTP_AUTH" } },
  gcs: {
    names: ["prefix", "bucket"],
    secrets: {
      access_token: "GOOGLE_OAUTH_ACCESS_TOKEN",
      credentials: "GOOGLE_CREDENTIALS",
      encryption_key: "GOOGLE_ENCRYPTION_KEY",
    },
  },
  http: {
    names: ["address"],
    locks: ["lock_address", "unlock_address"],
    secrets: { password: "TF_HTTP_PASSWORD", client_private_key_pem: "TF_HTTP_CLIENT_PRIVATE_KEY_PEM" },
  },
  kubernetes: {
    names: ["secret_suffix", "namespace"],
    secrets: { token: "KUBE_TOKEN", password: "KUBE_PASSWORD", client_key: "KUBE_CLIENT_KEY_DATA" },
  },
  local: { names: ["path"] },
  pg: { names: ["schema_name", "conn_str"] },
  s3: {
    names: ["key", "bucket"],
    secrets: {
      access_key: "AWS_ACCESS_KEY_ID",
      secret_key: "AWS_SECRET_ACCESS_KEY",
      token: "AWS_SESSION_TOKEN",
      sse_customer_key: "AWS_SSE_CUSTOMER_KEY",
    },
  },
};

export const BACKEND_KINDS = Object.keys(KINDS);
export const CLOUD_KEYS = ["organization", "hostname", "workspaces", "token"];
export const ENCRYPTION_KEYS = ["key_provider", "method", "state", "plan", "remote_state_data_sources"];

/** @param isDivided whether there is more than one stack, so that each needs a state of its own */
export function parseStateSettings(value: unknown, isDivided: boolean, problems: Problems): StateSettings | undefined {
  if (value === undefined || !checkKeys(value, ["backend", "cloud", "encryption"], problems)) {
    return undefined;
  }
  const { backend, cloud, encryption } = value;
  const parsed = encryption === undefined ? {} : { encryption: parseEncryption(encryption, problems.at("encryption")) };
  if (backend === undefined && cloud === undefined && encryption !== undefined) {
    return withEncryption(LOCAL_STATE, parsed.encryption);
  }
  if ((backend === undefined) === (cloud === undefined)) {
    problems.add("", stackMessages.oneKeeper());
    return undefined;
  }
  const state =
    cloud === undefined
      ? parseBackend(backend, isDivided, problems.at("backend"))
      : parseCloud(cloud, isDivided, problems.at("cloud"));
  return state && withEncryption(state, parsed.encryption);
}

function withEncryption(state: StateSettings, encryption: StateSettings["encryption"]): StateSettings {
  return encryption === undefined ? state : { ...state, encryption };
}

/** Keys that OpenTofu also takes from the environment, whose settings go over those of the block. */
const ENCRYPTION_SECRETS = /^(passphrase|key|token|secret_key|access_key|access_token|client_secret|credentials)$/;

function parseEncryption(value: unknown, problems: Problems): StateSettings["encryption"] {
  if (!checkKeys(value, ENCRYPTION_KEYS, problems)) {
    return undefined;
  }
  const check = (one: unknown, place: Problems): void => {
    for (const [name, inner] of Object.entries(isObject(one) ? one : {})) {
      const at = place.at(placeOf(name));
      // A reference is no secret.
      if (typeof inner === "string" && /\$\{[^}]*\b(var|local)\./.test(inner)) {
        at.add("", stackMessages.noVariable());
      } else if (typeof inner === "string" && ENCRYPTION_SECRETS.test(name) && !/^\$\{[^}]*\}$/.test(inner)) {
        at.add("", stackMessages.secret("TF_ENCRYPTION"));
      }
      check(inner, at);
    }
  };
  check(value, problems);
  return value;
}

function parseBackend(value: unknown, isDivided: boolean, problems: Problems): StateSettings | undefined {
  if (!checkKeys(value, BACKEND_KINDS, problems)) {
    return undefined;
  }
  const [found, ...others] = Object.entries(KINDS).filter(([name]) => Object.hasOwn(value, name));
  if (found === undefined || others.length > 0) {
    problems.add("", stackMessages.oneBackend(BACKEND_KINDS));
    return undefined;
  }
  const [kind, { names, locks = [], secrets = {} }] = found;
  const settings = value[kind];
  const place = problems.at(kind);
  if (!isObject(settings)) {
    place.add("", stackMessages.noSettings(kind));
    return undefined;
  }
  checkSettings(settings, secrets, place);
  if (isDivided && !names.some((name) => namesStack(settings[name]))) {
    place.add("", stackMessages.sharedState(names));
  }
  for (const name of isDivided ? locks.filter((one) => settings[one] !== undefined) : []) {
    if (!namesStack(settings[name])) {
      place.add(name, stackMessages.sharedLock());
    }
  }
  return { kind, settings };
}

function parseCloud(value: unknown, isDivided: boolean, problems: Problems): StateSettings | undefined {
  if (!checkKeys(value, CLOUD_KEYS, problems)) {
    return undefined;
  }
  checkSettings(value, { token: "TF_TOKEN_app_terraform_io" }, problems);
  if (value.organization === undefined) {
    problems.add("organization", valueMessages.required());
  }
  const workspaces = problems.at("workspaces");
  if (!checkKeys(value.workspaces, ["name", "tags", "project"], workspaces)) {
    return undefined;
  }
  const { name, tags } = value.workspaces;
  if ((name === undefined) === (tags === undefined)) {
    workspaces.add("", stackMessages.nameOrTags());
  } else if (tags !== undefined && !(Array.isArray(tags) && tags.every((tag) => typeof tag === "string"))) {
    workspaces.add("tags", stackMessages.notTags());
  } else if (isDivided && ![name, tags].flat().some(namesStack)) {
    workspaces.add("", stackMessages.sharedState(["name", "tags"]));
  }
  return { kind: "cloud", settings: value };
}

/** Also of environment variables, as `exec` of kubernetes has them. */
const SECRET_NAME = /(^|_)(password|passwd|secret|secret_key|secret_access_key|api_?key|token)$/i;

/** In a URL, where that of postgres may have a slash in it (and a port is no password), or among the words of a connection string. */
const PASSWORD_INSIDE = /^[a-z]+:\/\/[^/@:]*:[^/@]+@|^postgres(ql)?:\/\/[^/@:]*:(?!\d+\/)[^@]+@|\b(ssl)?password\s*=/i;

/** Looks at every value, however deep, for secrets and for what Terraform would not take as it stands. */
function checkSettings(
  settings: Record<string, unknown>,
  secrets: Readonly<Record<string, string>>,
  problems: Problems,
): void {
  const check = (value: unknown, place: Problems): void => {
    if (Array.isArray(value)) {
      value.forEach((item, index) => check(item, place.at(`[${index}]`)));
    } else if (isObject(value)) {
      checkSettings(value, {}, place);
    } else if (typeof value === "string" && plainText(value, place) && PASSWORD_INSIDE.test(value)) {
      place.add("", stackMessages.secretInside());
    }
  };
  for (const [name, value] of Object.entries(settings)) {
    const place = problems.at(placeOf(name));
    if (Object.hasOwn(secrets, name)) {
      place.add("", stackMessages.secret(secrets[name]));
    } else if (SECRET_NAME.test(name)) {
      place.add("", stackMessages.secret(undefined));
    } else {
      check(value, place);
    }
  }
}

function namesStack(value: unknown): boolean {
  return typeof value === "string" && value.includes(PLACEHOLDER);
}

/** The settings of one stack's state. */
export function settingsOfStack({ settings }: StateSettings, stack: string): Record<string, unknown> {
  const filled = (value: unknown): unknown => {
    if (typeof value === "string") {
      return value.replaceAll(PLACEHOLDER, stack);
    }
    if (Array.isArray(value)) {
      return value.map(filled);
    }
    return isObject(value) ? Object.fromEntries(Object.entries(value).map(([key, one]) => [key, filled(one)])) : value;
  };
  return filled(settings) as Record<string, unknown>;
}
