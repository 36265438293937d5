import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  type Node as YamlNode,
  parseDocument,
  type Scalar,
  type YAMLMap,
} from "yaml";
import { placesIn } from "./places.ts";
import type { Position, Problem } from "./problem.ts";
import { bareVariables, explainSyntax, unquotedVariable } from "./syntax-message.ts";
import { type MapEntry, type Node, scalar, type ScalarNode } from "./tree.ts";

const maxDepth = 64;
const maxAliasedNodes = 10_000;
const maxSyntaxProblems = 10;
const maxMasked = 100;
const maxTreeProblems = 1000;
const maxBrackets = 500;

/** A tree where there is one, and every problem of the text. */
export interface YamlOutcome {
  readonly tree: Node | undefined;
  readonly problems: readonly Problem[];
}

/** Parses one YAML document into a tree of positions. Expands no variables. */
export function parseYaml(text: string, file: string): YamlOutcome {
  const place = placesIn(text, file);
  const abyss = bracketAbyss(text);
  if (abyss !== undefined) {
    const problem = { at: place(abyss), message: "this is nested too deeply" };
    return { tree: undefined, problems: [problem] };
  }
  const { document, masked } = parseMasked(text);
  const unquoted = masked.map((offset) => ({ at: place(offset), message: unquotedVariable }));
  const broken = syntaxProblems(document, place);
  if (broken.length > 0) return { tree: undefined, problems: [...unquoted, ...broken] };
  const start = { file, line: 1, column: 1 };
  if (document.contents === null) {
    return { tree: undefined, problems: [{ at: start, message: "the file is empty" }] };
  }
  const builder = new TreeBuilder(text, place, masked);
  const tree = builder.build(document.contents, 0);
  return { tree, problems: [...unquoted, ...builder.problems] };
}

/**
 * Parses, and parses again with variables masked that YAML cannot read without quotes (`{ token: ${T} }`), so that
 * one of them does not hide the other problems of the file. `masked` are their offsets.
 */
function parseMasked(text: string) {
  const masked: number[] = [];
  let current = text;
  for (;;) {
    const document = parseDocument(current, {
      prettyErrors: false,
      uniqueKeys: false,
      schema: "core",
    });
    const first = document.errors.toSorted((a, b) => a.pos[0] - b.pos[0])[0];
    const found = first === undefined ? [] : bareVariables(current, first.pos[0]);
    if (found.length === 0 || masked.length + found.length > maxMasked) {
      return { document, masked };
    }
    for (const { start, end } of found) {
      masked.push(start);
      current = current.slice(0, start) + "_".repeat(end - start) + current.slice(end);
    }
  }
}

/** Where brackets are nested so deep that the parser itself would take long to give up. */
function bracketAbyss(text: string): number | undefined {
  let depth = 0;
  for (let index = 0; index < text.length; index += 1) {
    const character = text[index];
    if (character === "[" || character === "{") depth += 1;
    if (character === "]" || character === "}") depth = Math.max(0, depth - 1);
    if (depth > maxBrackets) return index;
  }
  return undefined;
}

/** What the parser refuses. One mistake often makes the rest unexpected, so of that only the first is told. */
function syntaxProblems(document: Document.Parsed, place: (offset: number) => Position): Problem[] {
  const found = [...document.errors, ...document.warnings].toSorted((a, b) => a.pos[0] - b.pos[0]);
  const telling = found.filter((error, index) => index === 0 || error.code !== "UNEXPECTED_TOKEN");
  const problems = new Map<number, Problem>();
  for (const error of telling.slice(0, maxSyntaxProblems)) {
    const at = place(error.pos[0]);
    if (!problems.has(at.line)) problems.set(at.line, { at, message: explainSyntax(error) });
  }
  return [...problems.values()];
}

/** Turns the parser's nodes into ours, sharing what an alias names instead of copying it. */
class TreeBuilder {
  readonly problems: Problem[] = [];
  readonly #text: string;
  readonly #place: (offset: number) => Position;
  readonly #masked: readonly number[];
  readonly #anchors = new Map<string, Node>();
  readonly #open = new Set<string>();
  readonly #sizes = new Map<Node, number>();
  #aliased = 0;

  constructor(text: string, place: (offset: number) => Position, masked: readonly number[]) {
    this.#text = text;
    this.#place = place;
    this.#masked = masked;
  }

  build(yaml: YamlNode, depth: number): Node {
    const at = this.#place(yaml.range?.[0] ?? 0);
    if (depth > maxDepth) return this.#refuse(at, `this is nested deeper than ${maxDepth} levels`);
    if (isAlias(yaml)) return this.#alias(yaml.source, at);
    const anchor = (yaml as { anchor?: string }).anchor;
    if (anchor !== undefined) this.#open.add(anchor);
    const node = this.#plain(yaml, at, depth);
    if (anchor !== undefined) {
      this.#open.delete(anchor);
      this.#anchors.set(anchor, node);
    }
    return node;
  }

  #plain(yaml: YamlNode, at: Position, depth: number): Node {
    if (isScalar(yaml)) return this.#sized(this.#scalar(yaml, at), []);
    if (isMap(yaml)) return this.#map(yaml as YAMLMap<YamlNode | null, YamlNode | null>, at, depth);
    if (!isSeq(yaml)) return this.#refuse(at, "this kind of YAML node is not supported");
    const items = yaml.items.map((item) => this.build(item as YamlNode, depth + 1));
    return this.#sized({ kind: "list", items, at }, items);
  }

  #alias(name: string, at: Position): Node {
    const target = this.#anchors.get(name);
    if (target === undefined) {
      const why = this.#open.has(name) ? "stands inside what it names" : "names no anchor above it";
      return this.#refuse(at, `the alias \`*${name}\` ${why}`);
    }
    const before = this.#aliased;
    this.#aliased += this.#sizes.get(target) ?? 1;
    if (this.#aliased <= maxAliasedNodes) return target;
    if (before > maxAliasedNodes) return scalar(undefined, at, true);
    return this.#refuse(at, `aliases of this file expand to more than ${maxAliasedNodes} values`);
  }

  #map(yaml: YAMLMap<YamlNode | null, YamlNode | null>, at: Position, depth: number): Node {
    const entries = new Map<string, MapEntry>();
    for (const pair of yaml.items) {
      const keyAt = this.#place(pair.key?.range?.[0] ?? yaml.range?.[0] ?? 0);
      const value = pair.value === null ? scalar(null, keyAt) : this.build(pair.value, depth + 1);
      const key = this.#key(pair.key, keyAt);
      if (key === undefined) continue;
      const first = entries.get(key);
      if (first === undefined) entries.set(key, { at: keyAt, value });
      else
        this.#report(
          keyAt,
          `\`${key}\` stands here a second time (first in line ${first.at.line})`,
        );
    }
    const children = [...entries.values()].map((entry) => entry.value);
    return this.#sized({ kind: "map", entries, at }, children);
  }

  /** The text of a key, or undefined when it was refused. */
  #key(key: YamlNode | null, at: Position): string | undefined {
    if (key === null || !isScalar(key) || key.value === null) {
      this.#report(at, "a key must be text");
      return undefined;
    }
    const text = typeof key.value === "string" ? key.value : (key.source ?? String(key.value));
    const refusal = refusedKey(text);
    if (refusal === undefined) return text;
    this.#report(at, refusal);
    return undefined;
  }

  #scalar(yaml: Scalar, at: Position): ScalarNode {
    const value = yaml.value;
    const [start = 0, end = 0] = yaml.range ?? [];
    if (this.#masked.some((offset) => offset >= start && offset < end)) {
      return scalar(undefined, at, true);
    }
    const quoted = yaml.type !== undefined && yaml.type !== "PLAIN";
    if (typeof value === "number" && !exact(value)) {
      this.#report(at, "this number cannot be held exactly; quote it if it is text");
      return scalar(undefined, at, true);
    }
    if (value === null || typeof value === "number" || typeof value === "boolean") {
      return scalar(value, at);
    }
    if (typeof value !== "string") {
      this.#report(at, "this value has no plain type; quote it if it is text");
      return scalar(undefined, at, true);
    }
    return { ...scalar(value, at), quoted, marks: this.#marks(yaml) };
  }

  /** Where each `${` of the scalar's source stands. */
  #marks(yaml: Scalar): Position[] {
    const [start = 0, end = 0] = yaml.range ?? [];
    const marks: Position[] = [];
    let offset = this.#text.indexOf("${", start);
    while (offset !== -1 && offset < end) {
      marks.push(this.#place(offset));
      offset = this.#text.indexOf("${", offset + 2);
    }
    return marks;
  }

  #sized<N extends Node>(node: N, children: readonly Node[]): N {
    const size = children.reduce((sum, child) => sum + (this.#sizes.get(child) ?? 1), 1);
    this.#sizes.set(node, size);
    return node;
  }

  #refuse(at: Position, message: string): Node {
    this.#report(at, message);
    return scalar(undefined, at, true);
  }

  #report(at: Position, message: string): void {
    if (this.problems.length < maxTreeProblems) this.problems.push({ at, message });
  }
}

/** Why a key is not allowed anywhere. */
export function refusedKey(key: string): string | undefined {
  if (key === "__proto__") return "`__proto__` is not allowed as a key";
  if (key === "<<") return "merge keys (`<<`) are not supported; layer files with `-f` instead";
  if (key.includes("${")) return "variables are expanded in values, not in keys";
  return undefined;
}

/** Whether a number is finite and, if whole, small enough to be exact. */
function exact(value: number): boolean {
  return Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value));
}
