import { relative } from "node:path";
import type { PipelineConfig } from "./pipeline-config.ts";
import type { Position, Problem } from "./problem.ts";
import { type Node, nodeAt, type Path } from "./tree.ts";

/** State and cache are files of their own; one would be refused as the other when the pipeline runs. */
export function sharedFile({ state, cache, folder }: PipelineConfig, root: Node): Problem[] {
  if (state.type === "memory" || cache.type !== "sqlite" || state.path !== cache.path) return [];
  const isNamed = nodeAt(root, ["cache", "path"]) !== undefined;
  const at = firstAt(root, [["cache", "path"], ["state", "path"], ["name"]]);
  const shown = relative(folder, state.path) || state.path;
  const remedy = isNamed ? "cache.path" : "state.path";
  const message = `state and cache would be one file, \`${shown}\`, but each needs its own; give another \`${remedy}\``;
  return [{ at, message }];
}

/** A state that is forgotten while the records stay is good for one run. */
export function forgottenState({ state, sinks }: PipelineConfig, root: Node): Problem[] {
  if (state.type !== "memory") return [];
  const kept = [...sinks].find(([, { component }]) => component.type !== "memory");
  if (kept === undefined) return [];
  const message =
    `a state in memory is forgotten when the process ends, but the records of the sink \`${kept[0]}\` stay: the next ` +
    "run will be refused. Leave `state` out, or use the sink `memory`";
  return [{ at: firstAt(root, [["state", "type"], ["state"]]), message }];
}

function firstAt(root: Node, paths: readonly Path[]): Position {
  for (const path of paths) {
    const node = nodeAt(root, path);
    if (node !== undefined) return node.at;
  }
  return root.at;
}
