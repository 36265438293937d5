import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Connector, ConnectorKind } from "../contracts/index.ts";
import { inTurn } from "../flow/load-packages.ts";
import type { ExternalReference } from "./external.ts";

/**
 * Imports a connector that a file names by path or package, and finds the one of the wanted kind among its exports.
 * This executes the user's code: only loading a pipeline does it, never validating one.
 */
export async function importConnector(
  reference: ExternalReference,
  kind: ConnectorKind,
): Promise<Connector | { readonly why: string }> {
  const label = reference.kind === "file" ? reference.path : reference.name;
  let exported: Record<string, unknown>;
  try {
    // It may load heavy packages.
    exported = await inTurn(() => import(specifier(reference)) as Promise<Record<string, unknown>>);
  } catch (error) {
    return {
      why: `\`${label}\` cannot be loaded: ${error instanceof Error ? error.message : String(error)}`,
    };
  }
  const found = [...new Set(Object.values(exported))].filter(
    (value): value is Connector => isConnector(value) && value.kind === kind,
  );
  const [connector, ...others] = found;
  if (connector === undefined)
    return { why: `\`${label}\` exports no ${kind} made with \`define\`` };
  if (others.length === 0) return connector;
  return {
    why: `\`${label}\` exports ${found.length} connectors of kind ${kind}; one is expected`,
  };
}

function specifier(reference: ExternalReference): string {
  if (reference.kind === "file") return pathToFileURL(reference.path).href;
  const require = createRequire(join(reference.folder, "package.json"));
  try {
    return pathToFileURL(require.resolve(reference.name)).href;
  } catch {
    return pathToFileURL(require.resolve(reference.folder)).href;
  }
}

function isConnector(value: unknown): value is Connector {
  if (typeof value !== "object" || value === null) return false;
  const candidate = value as Partial<Connector>;
  return (
    typeof candidate.kind === "string" &&
    typeof candidate.type === "string" &&
    typeof candidate.revision === "number" &&
    typeof candidate.create === "function" &&
    typeof candidate.config === "object" &&
    "safeParse" in candidate.config
  );
}
