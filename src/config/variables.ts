import { type Environment, expandText } from "./expand-text.ts";
import type { Problem } from "./problem.ts";
import type { MapEntry, Node, ScalarNode } from "./tree.ts";

/** A tree without `${…}`, and what went into it. */
export interface VariablesOutcome {
  readonly tree: Node;
  readonly problems: readonly Problem[];
  /** The values taken from the environment, by name. */
  readonly used: ReadonlyMap<string, string>;
}

/** Expands the variables of every text of a tree. Happens after parsing, so a value can never add structure. */
export function expandVariables(tree: Node, environment: Environment): VariablesOutcome {
  const problems: Problem[] = [];
  const used = new Map<string, string>();
  const expand = (node: Node, inList: boolean): Node => {
    if (node.kind === "list") {
      return { ...node, items: node.items.map((item) => expand(item, true)) };
    }
    if (node.kind === "map") {
      const entries = [...node.entries].map(
        ([key, entry]) =>
          [key, { at: entry.at, value: expand(entry.value, false) }] satisfies [string, MapEntry],
      );
      return { ...node, entries: new Map(entries) };
    }
    if (typeof node.value !== "string" || !node.value.includes("${")) return node;
    const outcome = expandScalar(node, node.value, environment, inList);
    for (const problem of outcome.problems) problems.push(problem);
    for (const [name, value] of outcome.used) used.set(name, value);
    return outcome.node;
  };
  return { tree: expand(tree, false), problems, used };
}

function expandScalar(
  node: ScalarNode,
  text: string,
  environment: Environment,
  inList: boolean,
): { node: ScalarNode; problems: Problem[]; used: ReadonlyMap<string, string> } {
  const expansion = expandText(text, environment);
  const problems = expansion.mistakes.map(({ mark, message }) => ({
    at: node.marks[mark] ?? node.at,
    message,
  }));
  const sole = node.quoted ? undefined : expansion.sole;
  if (inList && sole !== undefined && expansion.text === "" && problems.length === 0) {
    problems.push({
      at: node.at,
      message: `the variable \`${sole}\` is empty; a list has no room for nothing`,
    });
  }
  if (problems.length > 0) {
    return { node: { ...node, value: undefined, reported: true }, problems, used: expansion.used };
  }
  const value = sole === undefined ? expansion.text : typed(expansion.text);
  return {
    node: { ...node, value, variables: [...expansion.named] },
    problems,
    used: expansion.used,
  };
}

/** Nothing leaves the key out, so that `api_key: ${KEY:-}` means "no key". */
function typed(text: string): ScalarNode["value"] {
  return text === "" ? undefined : typePlain(text);
}

/** Types a plain scalar as YAML 1.2 does (core schema). Numbers that cannot be exact stay text. */
export function typePlain(text: string): string | number | boolean | null {
  if (/^(?:~|null|Null|NULL|)$/.test(text)) return null;
  if (/^(?:true|True|TRUE)$/.test(text)) return true;
  if (/^(?:false|False|FALSE)$/.test(text)) return false;
  const number = plainNumber(text);
  if (number === undefined || !Number.isFinite(number)) return text;
  return Number.isInteger(number) && !Number.isSafeInteger(number) ? text : number;
}

function plainNumber(text: string): number | undefined {
  if (/^0o[0-7]+$/.test(text) || /^0x[0-9a-fA-F]+$/.test(text)) return Number(text);
  const decimal = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/;
  return decimal.test(text) ? Number(text) : undefined;
}
