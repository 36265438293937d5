import type { Json, JsonObject } from "../../contracts/index.ts";

/** A request that found its operation. */
export interface Call {
  /** What the path names: an index or a namespace; empty otherwise. */
  readonly name: string;
  readonly query: URLSearchParams;
  /** An empty object when nothing was sent. */
  readonly body: Json;
  /** Whether the client speaks the API of 2026-07 or a later one. */
  readonly isCurrent: boolean;
}

export interface Answer {
  readonly status: number;
  /** Undefined for an empty answer. */
  readonly body?: JsonObject;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Answers a call, or throws a refusal. */
export type Handler = (call: Call) => Answer | Promise<Answer>;

/** One operation: its method and the pattern of its path. */
export interface Route {
  readonly method: "GET" | "POST" | "PATCH" | "DELETE";
  /** Segments, where `*` stands for any. */
  readonly path: readonly string[];
}

/** The name that a path gives where the pattern has `*`, empty without one; undefined when it is another path. */
export function matchPath(pattern: readonly string[], path: readonly string[]): string | undefined {
  if (pattern.length !== path.length) return undefined;
  if (!pattern.every((segment, index) => segment === "*" || segment === path[index])) {
    return undefined;
  }
  const place = pattern.indexOf("*");
  return place === -1 ? "" : (path[place] ?? "");
}
