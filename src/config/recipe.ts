import { createHash } from "node:crypto";
import { assert } from "../faults/index.ts";
import type { ComponentConfig } from "./pipeline-config.ts";

/**
 * Names what a parser or chunker makes of its input: type, revision and shaping configuration. Equal input under equal
 * recipes gives equal output.
 */
export function recipeHash(component: ComponentConfig<"parser" | "chunker">): string {
  const { kind, connector, shaping } = component;
  assert(connector !== undefined, `the ${kind} \`${component.type}\` is not loaded`);
  const ingredients = [kind, connector.type, connector.revision, shaping];
  return createHash("sha256").update(canonicalJson(ingredients)).digest("hex");
}

/** JSON with sorted keys, so that equal values have equal texts. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value))
    return `[${value.map((item) => canonicalJson(item ?? null)).join(",")}]`;
  if (typeof value === "object" && value !== null) {
    assert(isPlain(value), "a configuration holds a value that is not JSON");
    const entries = Object.entries(value).filter(([, item]) => item !== undefined);
    const members = entries
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, item]) => `${JSON.stringify(key)}:${canonicalJson(item)}`);
    return `{${members.join(",")}}`;
  }
  const text = JSON.stringify(value) as string | undefined;
  assert(text !== undefined, "a configuration holds a value that is not JSON");
  return text;
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
