import type { Fields } from "./fields.ts";
import type { IndexDefinition } from "./index-definition.ts";
import { limits } from "./limits.ts";
import { Refusal } from "./refusal.ts";

export function readProtection(fields: Fields): IndexDefinition["deletionProtection"] | undefined {
  const given = fields.string("deletion_protection");
  if (given === undefined || given === "enabled" || given === "disabled") return given;
  const rule = "`deletion_protection` must be `enabled` or `disabled`";
  throw new Refusal(400, `${rule}, but got '${given}'.`);
}

/** What tag values may be: before 2026-07 a few characters, since then all of printable ASCII. */
export type TagRule = "plain" | "printable";

const valueRules: Readonly<Record<TagRule, RegExp>> = {
  plain: /^[\w;@\-.+ ]*$/,
  printable: /^[ -~]*$/,
};

/** Tags as given; an empty value takes a tag away. */
export function readTags(fields: Fields, rule: TagRule): Readonly<Record<string, string>> {
  const tags = Object.entries(fields.anyObject("tags") ?? {}).map(([key, value]) => {
    if (!/^[\w-]+$/.test(key) || key.length > limits.tagKeyLength) {
      throw new Refusal(400, `'${key.slice(0, 100)}' cannot be the key of a tag.`);
    }
    if (typeof value !== "string" || value.length > limits.tagValueLength) {
      const most = `a text of at most ${limits.tagValueLength} characters`;
      throw new Refusal(400, `The value of the tag '${key}' must be ${most}.`);
    }
    if (!valueRules[rule].test(value)) {
      throw new Refusal(400, `The value of the tag '${key}' has characters that are not allowed.`);
    }
    return [key, value] as const;
  });
  return Object.fromEntries(tags);
}

/** Tags after a change; empty values take tags away. */
export function mergeTags(
  tags: Readonly<Record<string, string>>,
  changes: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const merged = Object.entries({ ...tags, ...changes }).filter(([, value]) => value !== "");
  if (merged.length > limits.tags) {
    throw new Refusal(400, `An index has at most ${limits.tags} tags, but got ${merged.length}.`);
  }
  return Object.fromEntries(merged);
}

/** The names of the fields in a metadata schema, `{ fields: { NAME: { filterable: true } } }`. */
export function readFilterable(parent: Fields): readonly string[] | undefined {
  const schema = parent.fields("schema", ["fields"]);
  if (schema === undefined) return undefined;
  const fields = schema.required("fields", schema.anyObject("fields"));
  return Object.entries(fields).map(([name, field]) => {
    if (schema.within(name, field, ["filterable"]).boolean("filterable") === true) return name;
    throw new Refusal(400, `The field '${name}' must have \`filterable: true\`.`);
  });
}

/** Nodes of one's own are not emulated. */
export function checkReadCapacity(parent: Fields): void {
  const capacity = parent.anyObject("read_capacity");
  if (capacity === undefined || capacity["mode"] === "OnDemand") return;
  throw unsupported("a read capacity other than `OnDemand`");
}

/** What the service can do and the emulator cannot. */
export function unsupported(what: string): Refusal {
  return new Refusal(501, `The emulator does not know ${what}.`);
}
