import type { z } from "zod";
import { expectation } from "./expectation.ts";
import { type JsonSchema, keysAt, markedAt, schemasAt } from "./json-schema.ts";
import { suggestion } from "./nearest.ts";
import type { Problem } from "./problem.ts";
import {
  formatPath,
  keyPlace,
  namePath,
  type Node,
  nodeAt,
  type Path,
  placeOf,
  type ScalarNode,
} from "./tree.ts";
import { typePlain } from "./variables.ts";

type Issue = z.core.$ZodIssue;

/** Of one map; a file of nothing but unknown keys is no pipeline. */
const maxUnknownKeys = 100;

/** What was checked: a part of the tree, where it stands in the whole, and what it should be. */
export interface Checked {
  readonly root: Node;
  readonly base: Path;
  readonly schema: JsonSchema;
}

/** All that is wrong with a part: what zod found, and unknown keys that it did not get to see. */
export function partProblems(issues: readonly Issue[], checked: Checked): Problem[] {
  const node = nodeAt(checked.root, checked.base);
  const unseen = node === undefined ? [] : leftOutKeys(node, [], checked);
  return [...unseen, ...issueProblems(issues, checked)];
}

/** Unknown keys whose values are left out of what is parsed (null, empty variables, reported values). */
function leftOutKeys(node: Node, local: Path, checked: Checked): Problem[] {
  if (node.kind === "list") {
    return node.items.flatMap((item, index) => leftOutKeys(item, [...local, index], checked));
  }
  if (node.kind !== "map") return [];
  const schemas = schemasAt(checked.schema, local);
  const closed = schemas.length > 0 && schemas.every((schema) => !isOpen(schema));
  const known = new Set(keysAt(checked.schema, local));
  return [...node.entries].flatMap(([key, { value }]) => {
    const leftOut = value.kind === "scalar" && (value.value ?? undefined) === undefined;
    if (!leftOut) return leftOutKeys(value, [...local, key], checked);
    return closed && !known.has(key) ? [unknownKey(key, local, checked)] : [];
  });
}

/** Whether a map may have keys that the schema does not name. */
function isOpen(schema: JsonSchema): boolean {
  const branches = schema.anyOf ?? schema.oneOf ?? schema.allOf;
  return (
    branches === undefined && schema.type === "object" && schema.additionalProperties !== false
  );
}

/** Turns what zod found into problems with places and words. */
export function issueProblems(issues: readonly Issue[], checked: Checked): Problem[] {
  return issues.flatMap((issue) => issueProblem(issue, checked));
}

function issueProblem(issue: Issue, checked: Checked): Problem[] {
  const local = issue.path.map((step) => (typeof step === "number" ? step : String(step)));
  if (issue.code === "unrecognized_keys") {
    return issue.keys.slice(0, maxUnknownKeys).map((key) => unknownKey(key, local, checked));
  }
  const deeper = branchIssues(issue, local, checked);
  if (deeper !== undefined) return issueProblems(deeper, checked);
  const path = [...checked.base, ...local];
  const at = placeOf(checked.root, path);
  const node = nodeAt(checked.root, path);
  if (issue.code === "invalid_key") return [badKey(issue.issues, local, checked)];
  if (node?.kind === "scalar" && (node.reported || node.value === null)) return [];
  if (issue.code === "custom") return [{ at, message: `${namePath(path)} ${own(issue.message)}` }];
  if (node === undefined || (node.kind === "scalar" && node.value === undefined)) {
    return [missing(local, checked, node)];
  }
  const given = received(node, local, checked);
  const declared = declaredMessage(issue);
  const wanted = expectation(schemasAt(checked.schema, local)) || issue.message;
  const message = declared ?? `must be ${wanted}`;
  const isWish = message.startsWith("must be ");
  return [{ at, message: `${namePath(path)} ${message}${isWish ? `, ${given}` : ""}` }];
}

/** What a connector's declaration says of text in the wrong form, instead of zod's own sentence. */
function declaredMessage(issue: Issue): string | undefined {
  if (issue.code !== "invalid_format") return undefined;
  if (!issue.message.startsWith("Invalid ")) return own(issue.message);
  return issue.pattern === undefined || issue.format !== "regex"
    ? undefined
    : `must be text that matches ${issue.pattern}`;
}

/** Declarations write "expected …", "is not …" or "must be …". */
function own(message: string): string {
  return message.replace(/^expected /, "must be ");
}

/** The issues of the one branch of a union that the value got furthest in, if there is one. */
function branchIssues(issue: Issue, local: Path, checked: Checked): Issue[] | undefined {
  if (issue.code !== "invalid_union") return undefined;
  const node = nodeAt(checked.root, [...checked.base, ...local]);
  if (node === undefined || node.kind === "scalar") return undefined;
  const entered = issue.errors.filter((branch) =>
    branch.every(
      (inner) =>
        inner.path.length > 0 || inner.code === "unrecognized_keys" || inner.code === "custom",
    ),
  );
  const [only, ...others] = entered;
  if (only === undefined || others.length > 0) return undefined;
  return only.map((inner) => ({ ...inner, path: [...issue.path, ...inner.path] }));
}

function unknownKey(key: string, local: Path, checked: Checked): Problem {
  const path = [...checked.base, ...local];
  const node = nodeAt(checked.root, path);
  const known = keysAt(checked.schema, local);
  const where = path.length === 0 ? "" : ` under \`${formatPath(path)}\``;
  const near = suggestion(key, known);
  const list = known.map((name) => `\`${name}\``).join(", ");
  const rest = near !== "" || known.length === 0 ? near : ` (known: ${list})`;
  return {
    at: node === undefined ? placeOf(checked.root, path) : keyPlace(node, key),
    message: `unknown key \`${key}\`${where}${rest}`,
  };
}

function badKey(issues: readonly Issue[], local: Path, checked: Checked): Problem {
  const parent = local.slice(0, -1);
  const key = String(local.at(-1));
  const path = [...checked.base, ...parent];
  const node = nodeAt(checked.root, path);
  const names = schemasAt(checked.schema, parent).flatMap((schema) => schema.propertyNames ?? []);
  const described = names.find((name) => name.description !== undefined)?.description;
  const declared = issues.map(declaredMessage).find((message) => message !== undefined);
  const wanted = described ?? (declared === undefined ? expectation(names) : `it ${declared}`);
  return {
    at: node === undefined ? placeOf(checked.root, path) : keyPlace(node, key),
    message: `\`${key}\` cannot be a name under ${namePath(path)}: ${wanted}`,
  };
}

function missing(local: Path, checked: Checked, node: Node | undefined): Problem {
  const path = [...checked.base, ...local];
  const schemas = schemasAt(checked.schema, local);
  const description = schemas.find((schema) => schema.description !== undefined)?.description;
  const variable = node?.kind === "scalar" ? node.variables.at(-1) : undefined;
  const why =
    variable === undefined ? "is missing" : `is missing: the variable \`${variable}\` is empty`;
  const parent = path.slice(0, -1);
  const container = nodeAt(checked.root, parent.slice(0, -1));
  const last = parent.at(-1);
  const at =
    node?.at ??
    (container === undefined || last === undefined
      ? placeOf(checked.root, parent)
      : keyPlace(container, last));
  const hint = description ?? wish(schemas);
  return { at, message: `${namePath(path)} ${why}${hint === "" ? "" : `. ${hint}`}` };
}

function wish(schemas: readonly JsonSchema[]): string {
  const wanted = expectation(schemas);
  return wanted === "" ? "" : `It must be ${wanted}.`;
}

/** What stands there instead. The value itself is shown only when it can be no secret. */
function received(node: Node, local: Path, checked: Checked): string {
  if (node.kind === "list") return "not a list";
  if (node.kind === "map") return "not a map of keys and values";
  const kind = typeof node.value === "string" ? "text" : `a ${typeof node.value}`;
  const name = node.variables.at(-1);
  if (name !== undefined) {
    return `but the variable \`${name}\` gives ${kind}${quotingAdvice(node, name)}`;
  }
  if (markedAt(checked.schema, local, "secret")) return `not ${kind}`;
  const value = typeof node.value === "string" ? JSON.stringify(node.value) : String(node.value);
  return value.length > 60 ? `not this ${kind}` : `not ${value}`;
}

/** Quotes decide whether a variable may be a number; say which way they are wrong. */
function quotingAdvice(node: ScalarNode, name: string): string {
  if (typeof node.value !== "string") return `; quote it to make it text: "\${${name}}"`;
  if (!node.quoted || typeof typePlain(node.value) === "string") return "";
  return "; leave out the quotes (in a line of its own, not inside `{ … }` or `[ … ]`)";
}
