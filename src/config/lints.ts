import { fieldTypes, type PipelineValue } from "./pipeline-schema.ts";
import type { Problem } from "./problem.ts";
import { formatPath, keyPlace, type MapNode, type Node, nodeAt, type Path } from "./tree.ts";

/** Fields of every record, which metadata cannot set. */
const reserved = new Set(
  "id vector text document source title uri headings page position metadata pipeline fingerprint revision".split(
    " ",
  ),
);

/** What no single field can tell: rules between the parts of a file. */
export function lintPipeline(root: Node): Problem[] {
  const fields = nodeAt(root, ["metadata"]);
  return [
    ...renamed(root, [], undefined),
    ...["sources", "sinks"].flatMap((group) =>
      names(root, [group]).flatMap((name) => renamed(root, [group, name], names(root, [group]))),
    ),
    ...reservedFields(root, ["metadata"], "declare"),
    ...names(root, ["sources"]).flatMap((name) => [
      ...reservedFields(root, ["sources", name, "metadata"], "set"),
      ...conflicts(root, ["sources", name, "metadata"], fields),
    ]),
  ];
}

/** `previously` must name something that is gone from the file. */
function renamed(root: Node, path: Path, siblings: readonly string[] | undefined): Problem[] {
  const node = nodeAt(root, [...path, "previously"]);
  if (node?.kind !== "scalar" || typeof node.value !== "string") return [];
  const own = siblings === undefined ? nodeAt(root, ["name"]) : undefined;
  const present =
    siblings?.includes(node.value) ?? (own?.kind === "scalar" && own.value === node.value);
  if (!present) return [];
  const field = formatPath([...path, "previously"]);
  return [
    {
      at: node.at,
      message: `\`${field}\` names \`${node.value}\`, which is still in use; it is for a former name`,
    },
  ];
}

function reservedFields(root: Node, path: Path, verb: string): Problem[] {
  const node = nodeAt(root, path);
  if (node?.kind !== "map") return [];
  return names(root, path)
    .filter((name) => reserved.has(name))
    .map((name) => ({
      at: keyPlace(node, name),
      message: `\`${name}\` is a field of every record; \`${formatPath(path)}\` cannot ${verb} it`,
    }));
}

/** Metadata of a source that contradicts its declared type would fail every document. */
function conflicts(root: Node, path: Path, fields: Node | undefined): Problem[] {
  const node = nodeAt(root, path);
  if (node?.kind !== "map" || fields?.kind !== "map") return [];
  return [...node.entries].flatMap(([name, entry]) => {
    const declared = declaredType(fields, name);
    if (declared === undefined || fits(entry.value, declared)) return [];
    const message = `\`${formatPath([...path, name])}\` is declared as ${declared} under \`metadata\``;
    return [{ at: entry.value.at, message }];
  });
}

type DeclaredType = PipelineValue["metadata"][string];

function declaredType(fields: MapNode, name: string): DeclaredType | undefined {
  const node = fields.entries.get(name)?.value;
  const value = node?.kind === "scalar" ? node.value : undefined;
  return typeof value === "string" && Object.hasOwn(fieldTypes, value)
    ? (value as DeclaredType)
    : undefined;
}

/** False only where no reading of the value could have the type. */
function fits(node: Node, declared: DeclaredType): boolean {
  if (declared === "list of string") return node.kind === "list";
  if (node.kind !== "scalar") return false;
  if (node.value === undefined || node.value === null) return true;
  if (declared === "integer") return Number.isInteger(node.value);
  if (declared === "float") return typeof node.value === "number";
  return declared !== "boolean" || typeof node.value === "boolean";
}

function names(root: Node, path: Path): string[] {
  const node = nodeAt(root, path);
  return node?.kind === "map" ? [...node.entries.keys()] : [];
}
