import type { Json } from "../contracts/index.ts";
import type { Position } from "./problem.ts";

/** YAML as sluice sees it: plain data in which everything knows where it stands. Immutable; may be shared. */
export type Node = ScalarNode | ListNode | MapNode;

export interface ScalarNode {
  readonly kind: "scalar";
  /** Undefined when it is left out: an empty variable, or a value whose problem is reported already. */
  readonly value: string | number | boolean | null | undefined;
  /** Quoted and block scalars are text whatever they look like. */
  readonly quoted: boolean;
  readonly at: Position;
  /** Where each `${` of the source stands, in order. */
  readonly marks: readonly Position[];
  /** The variables whose values went into this one. */
  readonly variables: readonly string[];
  /** A problem of this value is reported already; more about it would only repeat it. */
  readonly reported: boolean;
}

export interface ListNode {
  readonly kind: "list";
  readonly items: readonly Node[];
  readonly at: Position;
}

export interface MapNode {
  readonly kind: "map";
  readonly entries: ReadonlyMap<string, MapEntry>;
  readonly at: Position;
}

export interface MapEntry {
  /** Where the key stands. */
  readonly at: Position;
  readonly value: Node;
}

/** A path from the root: keys and list indices. */
export type Path = readonly (string | number)[];

/** A scalar without variables. */
export function scalar(value: ScalarNode["value"], at: Position, reported = false): ScalarNode {
  return { kind: "scalar", value, quoted: false, at, marks: [], variables: [], reported };
}

/** The node at a path, if there is one. */
export function nodeAt(root: Node, path: Path): Node | undefined {
  let node: Node | undefined = root;
  for (const step of path) node = node === undefined ? undefined : child(node, step);
  return node;
}

/** The nearest place for a path: the value there, or else that of the deepest map or list on the way. */
export function placeOf(root: Node, path: Path): Position {
  let node = root;
  let at = root.at;
  for (const step of path) {
    const next = child(node, step);
    if (next === undefined) return at;
    at = next.kind === "scalar" ? next.at : keyPlace(node, step);
    node = next;
  }
  return at;
}

/** Where the key of a map stands, or the item of a list. */
export function keyPlace(node: Node, step: string | number): Position {
  if (node.kind === "map") return node.entries.get(String(step))?.at ?? node.at;
  return child(node, step)?.at ?? node.at;
}

/** The plain value; what is left out or null is undefined. */
export function toValue(node: Node): unknown {
  if (node.kind === "scalar") return node.value ?? undefined;
  if (node.kind === "list") return node.items.map((item) => toValue(item));
  const entries = [...node.entries].map(([key, entry]) => [key, toValue(entry.value)] as const);
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}

/** A tree for a value that is written nowhere, such as a default. */
export function fromValue(value: Json, at: Position): Node {
  if (Array.isArray(value)) {
    return { kind: "list", items: value.map((item: Json) => fromValue(item, at)), at };
  }
  if (typeof value !== "object" || value === null) {
    return scalar(value as string | number | boolean | null, at);
  }
  const entries = Object.entries(value).map(
    ([key, item]) => [key, { at, value: fromValue(item, at) }] as const,
  );
  return { kind: "map", entries: new Map(entries), at };
}

/** A path as people write it: `sinks.search.dimension`, `include[2]`. */
export function formatPath(path: Path): string {
  return path.reduce<string>((text, step) => {
    if (typeof step === "number") return `${text}[${step}]`;
    return text === "" ? step : `${text}.${step}`;
  }, "");
}

/** A path in a sentence; the empty one is the whole file. */
export function namePath(path: Path): string {
  return path.length === 0 ? "the file" : `\`${formatPath(path)}\``;
}

function child(node: Node, step: string | number): Node | undefined {
  if (node.kind === "map") return node.entries.get(String(step))?.value;
  return node.kind === "list" && typeof step === "number" ? node.items[step] : undefined;
}
