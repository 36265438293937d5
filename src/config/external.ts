import { existsSync } from "node:fs";
import { dirname, isAbsolute, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

/** A connector that is not in the catalog: a file or a package of the user's. */
export type ExternalReference =
  | { readonly kind: "file"; readonly path: string }
  | { readonly kind: "package"; readonly name: string; readonly folder: string };

const packageName = /^(?:@[a-z0-9~-][a-z0-9._~-]*\/)?[a-z0-9~-][a-z0-9._~-]*$/;

/**
 * What a `type` that the catalog does not know refers to, or why it refers to nothing. Looks at the disk, executes
 * nothing. Undefined when the type is a plain word that is no installed package: a typing mistake.
 */
export function externalReference(
  type: string,
  folder: string,
): ExternalReference | { readonly kind: "missing"; readonly why: string } | undefined {
  if (type.startsWith("file:")) return fileReference(pathOfUrl(type), type);
  if (/^\.{1,2}\//.test(type) || isAbsolute(type))
    return fileReference(resolve(folder, type), type);
  if (!packageName.test(type)) return undefined;
  const found = packageFolder(type, folder);
  if (found !== undefined) return { kind: "package", name: type, folder: found };
  if (!type.includes("/")) return undefined;
  return {
    kind: "missing",
    why: `the package \`${type}\` is not installed; run \`npm install ${type}\``,
  };
}

function fileReference(path: string | undefined, type: string) {
  if (path !== undefined && existsSync(path)) return { kind: "file", path } as const;
  return { kind: "missing", why: `the connector's file \`${type}\` does not exist` } as const;
}

function pathOfUrl(url: string): string | undefined {
  try {
    return fileURLToPath(url);
  } catch {
    return undefined;
  }
}

/** The folder that holds a package, looked for upwards as Node does. */
function packageFolder(name: string, folder: string): string | undefined {
  for (let at = folder; ; at = dirname(at)) {
    const candidate = join(at, "node_modules", name);
    if (existsSync(join(candidate, "package.json"))) return candidate;
    if (at === dirname(at)) return undefined;
  }
}
