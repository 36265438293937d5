import type { Problem } from "./problem.ts";
import { namePath, type Node, type Path } from "./tree.ts";

/** Every null of a tree: a key whose value was forgotten means nothing certain, so it is refused. */
export function findNulls(node: Node, path: Path = []): Problem[] {
  if (node.kind === "scalar") {
    if (node.value !== null) return [];
    return [
      { at: node.at, message: `${namePath(path)} has no value; give it one, or leave the key out` },
    ];
  }
  if (node.kind === "list") {
    return node.items.flatMap((item, index) => findNulls(item, [...path, index]));
  }
  return [...node.entries].flatMap(([key, entry]) => findNulls(entry.value, [...path, key]));
}
