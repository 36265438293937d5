import type { Block, DocumentWarning, Json, JsonObject } from "../../../src/contracts/index.ts";

/** What stands before the Markdown of a document. */
export interface FrontMatter {
  /** Offset in the source at which the Markdown begins. */
  readonly bodyStart: number;
  readonly title?: string;
  /** Everything but the title. */
  readonly metadata?: JsonObject;
  /** Front matter that could not be read, kept as text. */
  readonly blocks: readonly Block[];
  readonly warnings: readonly DocumentWarning[];
}

const maxUnits = 64 * 1024;
const maxDepth = 32;
const maxValues = 10_000;
const maxAliases = 100;

const opening = /^---[ \t]*\n(?![ \t]*\n)/;
const closing = /^(?:---|\.\.\.)[ \t]*$/m;
const none: FrontMatter = { bodyStart: 0, blocks: [], warnings: [] };

/**
 * Parts YAML front matter from the Markdown after it. YAML that is not a mapping is Markdown between two rules. A
 * mapping that is broken, or over a limit, becomes a warning and a code block: nothing of it is lost.
 */
export function splitFrontMatter(source: string, yaml: typeof import("yaml")): FrontMatter {
  const start = opening.exec(source)?.[0].length;
  if (start === undefined) return none;
  const window = source.slice(start, start + maxUnits);
  const end = closing.exec(window);
  if (end === null) return source.length > start + maxUnits ? tooLong(window) : none;
  const text = window.slice(0, end.index);
  const bodyStart = start + end.index + end[0].length;
  const read = readMapping(text, yaml);
  if (read.kind === "other") return none;
  if (read.kind === "mapping") return { ...none, bodyStart, ...fieldsOf(read.value) };
  const kept: Block = { kind: "code", text: text.trimEnd(), headings: [], language: "yaml" };
  return { bodyStart, blocks: [kept], warnings: [warn(`${read.problem}; it was kept as text`)] };
}

function warn(problem: string): DocumentWarning {
  return { code: "front-matter", message: `The front matter was not read: ${problem}.` };
}

function tooLong(window: string): FrontMatter {
  const isMapping = /^[\w-]+:(?:\s|$)/.test(window);
  const problem = `it does not end within ${maxUnits} characters; it was kept as text`;
  return isMapping ? { ...none, warnings: [warn(problem)] } : none;
}

type Mapping =
  | { readonly kind: "mapping"; readonly value: JsonObject }
  | { readonly kind: "other" }
  | { readonly kind: "broken"; readonly problem: string };

function readMapping(text: string, yaml: typeof import("yaml")): Mapping {
  if (text.trim() === "") return { kind: "mapping", value: {} };
  try {
    const document = yaml.parseDocument(text, { intAsBigInt: true, logLevel: "silent" });
    const [error] = document.errors;
    if (error !== undefined) {
      // The message of the library quotes the document; its code and line do not.
      const line = error.linePos?.[0].line;
      return broken(
        `invalid YAML (${error.code}${line === undefined ? "" : `, line ${line + 1}`})`,
      );
    }
    const value: unknown = document.toJS({ mapAsMap: true, maxAliasCount: maxAliases });
    if (!(value instanceof Map)) return { kind: "other" };
    const budget = { values: maxValues };
    return { kind: "mapping", value: objectOf(value, maxDepth, budget) };
  } catch (error) {
    return broken(error instanceof Refusal ? error.message : "it is nested or aliased too deeply");
  }
}

function broken(problem: string): Mapping {
  return { kind: "broken", problem };
}

class Refusal extends Error {}

function objectOf(
  map: Map<unknown, unknown>,
  depth: number,
  budget: { values: number },
): JsonObject {
  const entries = [...map].map(([key, value]): [string, Json] => {
    if (typeof key === "object" && key !== null) throw new Refusal("a key is not a plain value");
    const name = String(key);
    if (name === "__proto__") throw new Refusal("a key is named `__proto__`");
    return [name, jsonOf(value, depth - 1, budget)];
  });
  return Object.fromEntries(entries);
}

function jsonOf(value: unknown, depth: number, budget: { values: number }): Json {
  budget.values -= 1;
  if (budget.values < 0) throw new Refusal(`it has more than ${maxValues} values`);
  if (depth < 0) throw new Refusal(`it is nested more than ${maxDepth} deep`);
  if (value instanceof Map) return objectOf(value, depth, budget);
  if (Array.isArray(value)) return value.map((item: unknown) => jsonOf(item, depth - 1, budget));
  if (value === null || typeof value === "boolean") return value;
  if (typeof value === "string") return value.toWellFormed();
  // Numbers that JSON cannot hold exactly stay readable as text.
  if (typeof value === "bigint") {
    return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  }
  if (typeof value === "number") return Number.isFinite(value) ? value : String(value);
  return value === undefined ? null : JSON.stringify(value);
}

function fieldsOf(value: JsonObject): { readonly title?: string; readonly metadata?: JsonObject } {
  const { title, ...others } = value;
  const isTitle = (typeof title === "string" && title.trim() !== "") || typeof title === "number";
  const metadata = isTitle ? others : value;
  return {
    ...(isTitle && { title: String(title).trim() }),
    ...(Object.keys(metadata).length > 0 && { metadata }),
  };
}
