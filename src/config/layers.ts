import { parseYaml, refusedKey } from "./parse-yaml.ts";
import type { Position, Problem } from "./problem.ts";
import type { MapEntry, MapNode, Node } from "./tree.ts";

/** Lays one file over another, as compose does: maps are merged deep, lists and values replaced. */
export function mergeTrees(base: Node, over: Node): Node {
  if (base.kind !== "map" || over.kind !== "map") return over;
  const entries = new Map<string, MapEntry>(base.entries);
  for (const [key, entry] of over.entries) {
    const below = entries.get(key);
    const value = below === undefined ? entry.value : mergeTrees(below.value, entry.value);
    entries.set(key, { at: entry.at, value });
  }
  return { kind: "map", entries, at: base.at };
}

/** Applies `--set path=value`, such as `sinks.edge.dimension=512`; the value is read as YAML. */
export function applySetting(
  root: Node,
  setting: string,
): { readonly tree: Node; readonly problems: readonly Problem[] } {
  const equals = setting.indexOf("=");
  const path = (equals === -1 ? setting : setting.slice(0, equals)).trim();
  const at = { file: `--set ${path}`, line: 1, column: 1 };
  const fail = (message: string) => ({ tree: root, problems: [{ at, message }] });
  if (equals === -1) return fail("write `path=value`, such as `sinks.edge.dimension=512`");
  const keys = path.split(".");
  if (keys.includes("")) return fail("a key of the path is empty");
  const refused = keys.map((key) => refusedKey(key)).find((refusal) => refusal !== undefined);
  if (refused !== undefined) return fail(refused);
  const text = setting.slice(equals + 1);
  if (text.trim() === "") return fail("the value is empty; nothing can be set to nothing");
  const parsed = parseYaml(text, at.file);
  if (parsed.tree === undefined) return { tree: root, problems: parsed.problems };
  const over = keys.reduceRight<Node>((value, key) => single(key, value, at), parsed.tree);
  const list = listOnTheWay(root, keys);
  if (list !== undefined) return fail(`\`${list}\` is a list; set the whole list`);
  return { tree: mergeTrees(root, over), problems: parsed.problems };
}

function single(key: string, value: Node, at: Position): MapNode {
  return { kind: "map", entries: new Map([[key, { at, value }]]), at };
}

/** The part of the path that names a list with more of the path to follow. */
function listOnTheWay(root: Node, keys: readonly string[]): string | undefined {
  let node: Node | undefined = root;
  for (const [index, key] of keys.entries()) {
    if (node?.kind === "list") return keys.slice(0, index).join(".");
    node = node?.kind === "map" ? node.entries.get(key)?.value : undefined;
  }
  return undefined;
}
