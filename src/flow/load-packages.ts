import { Fault } from "../faults/index.ts";
import { errorCode } from "./error-code.ts";

let last: Promise<unknown> = Promise.resolve();

/** Who needs which packages. */
export interface PackageUse {
  /** As in "The sink `milvus`". */
  readonly user: string;
  readonly packages: readonly string[];
}

/**
 * Loads heavy packages when everything that was asked for before is loaded, or has failed. Two at once may break one
 * another: where one imports a module that the other requires, Node.js rejects with `ERR_REQUIRE_ESM_RACE_CONDITION`, as
 * it does for Milvus' client and Weaviate's, which share `uuid`. `load` must not wait for another call of this function.
 * Rejects with `package.missing`.
 */
export function loadPackages<Loaded>(
  use: PackageUse,
  load: () => Promise<Loaded>,
): Promise<Loaded> {
  return inTurn(load).catch((cause: unknown) => {
    throw missing(use, cause);
  });
}

/** The same for the modules of a connector that is not sluice's own. Rejects as they do. */
export function inTurn<Loaded>(load: () => Promise<Loaded>): Promise<Loaded> {
  const loading = last.then(load);
  last = loading.catch(() => undefined);
  return loading;
}

function missing({ user, packages }: PackageUse, cause: unknown): Fault {
  const names = packages.map((name) => `\`${name}\``).join(" and ");
  const plural = packages.length === 1 ? "package" : "packages";
  const code = errorCode(cause);
  const isAbsent = ["ERR_MODULE_NOT_FOUND", "MODULE_NOT_FOUND"].includes(code);
  const what = isAbsent
    ? `${user} needs the ${plural} ${names}`
    : `${user} cannot load the ${plural} ${names} (${code || "an error in its code"})`;
  return new Fault("package.missing", `${what}. Run \`npm install ${packages.join(" ")}\`.`, {
    cause,
  });
}
