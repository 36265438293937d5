import type { z } from "zod";
import type { Connector, ConnectorKind } from "../contracts/index.ts";
import type { Inspection } from "./inspection.ts";
import { issueProblems, partProblems } from "./issue-problems.ts";
import { type JsonSchema, markedAt, toJsonSchema } from "./json-schema.ts";
import type { ComponentConfig } from "./pipeline-config.ts";
import { noKeys, sinkKeys, sourceKeys } from "./pipeline-schema.ts";
import type { Position } from "./problem.ts";
import { formatPath, type MapNode, type Node, type Path, toValue } from "./tree.ts";

/** A component as it stands in the file. */
export interface Written<Kind extends ConnectorKind> {
  readonly kind: Kind;
  readonly name: string;
  readonly type: string;
  /** Where the type stands. */
  readonly typeAt: Position;
  readonly node: MapNode;
  readonly path: Path;
}

export interface CheckedComponent<Kind extends ConnectorKind> {
  readonly component: ComponentConfig<Kind>;
  /** The keys that every component of the kind has; undefined when they are wrong. */
  readonly common: unknown;
}

const commonKeys = {
  source: sourceKeys,
  sink: sinkKeys,
  parser: noKeys,
  chunker: noKeys,
  embedder: noKeys,
};

/** The keys that sluice itself reads of a component of this kind. */
export function commonKeysOf(kind: ConnectorKind): z.ZodObject {
  return commonKeys[kind];
}

/** A component's whole configuration as one schema: the type, the common keys and the connector's own. */
export function componentSchema(connector: Connector): JsonSchema {
  const own = toJsonSchema(connector.config, `${connector.kind}-${connector.type}-`);
  const common = toJsonSchema(commonKeysOf(connector.kind), "common-");
  const type: Record<string, JsonSchema> =
    connector.kind === "parser"
      ? {}
      : { type: { const: connector.type, description: connector.summary } };
  return {
    ...own,
    properties: { ...type, ...own.properties, ...common.properties },
    required: [...Object.keys(type), ...(own.required ?? []), ...(common.required ?? [])],
    $defs: { ...common.$defs, ...own.$defs },
  };
}

/** The component that a node of the tree describes, as far as its type can be told; core checks report the rest. */
export function written<Kind extends ConnectorKind>(
  kind: Kind,
  name: string,
  node: Node | undefined,
  path: Path,
): Written<Kind> | undefined {
  if (node?.kind !== "map") return undefined;
  const type = node.entries.get("type")?.value;
  if (type?.kind !== "scalar" || typeof type.value !== "string" || type.value === "")
    return undefined;
  return { kind, name, type: type.value, typeAt: type.at, node, path };
}

/** Finds the connector and checks the component's keys. Undefined when it cannot be used. */
export async function checkComponent<Kind extends ConnectorKind>(
  part: Written<Kind>,
  inspection: Inspection,
): Promise<CheckedComponent<Kind> | undefined> {
  const resolution = await inspection.registry.resolve(part.kind, part.type);
  if ("why" in resolution) {
    inspection.report(part.typeAt, `\`${formatPath(part.path)}\`: ${resolution.why}`);
    return undefined;
  }
  const connector = resolution.connector as Connector<Kind> | undefined;
  const schema = connector === undefined ? undefined : componentSchema(connector);
  inspection.visit(part.node, part.path, schema);
  const common = checkCommon(part, inspection, schema);
  const name = part.name;
  const base = { name, kind: part.kind, type: part.type, connector };
  if (connector === undefined || schema === undefined) {
    return { component: { ...base, config: undefined, shaping: undefined }, common };
  }
  const own = pick(part.node, (key) => !isCommon(part.kind, key));
  const parsed = connector.config.safeParse(toValue(own));
  const checked = { root: inspection.root, base: part.path, schema };
  inspection.add(partProblems(parsed.error?.issues ?? [], checked));
  if (!parsed.success) return undefined;
  const shaping = shapingOf(parsed.data, schema, []);
  return { component: { ...base, config: parsed.data, shaping }, common };
}

function checkCommon(
  part: Written<ConnectorKind>,
  inspection: Inspection,
  schema: JsonSchema | undefined,
): unknown {
  const keys = commonKeysOf(part.kind);
  const parsed = keys.safeParse(toValue(pick(part.node, (key) => key in keys.shape)));
  if (parsed.success) return parsed.data;
  const checked = {
    root: inspection.root,
    base: part.path,
    schema: schema ?? toJsonSchema(keys, "common-"),
  };
  inspection.add(issueProblems(parsed.error.issues, checked));
  return undefined;
}

function isCommon(kind: ConnectorKind, key: string): boolean {
  return (key === "type" && kind !== "parser") || Object.hasOwn(commonKeysOf(kind).shape, key);
}

function pick(node: MapNode, wanted: (key: string) => boolean): MapNode {
  return { ...node, entries: new Map([...node.entries].filter(([key]) => wanted(key))) };
}

/** A configuration without its secret and operational fields. */
function shapingOf(value: unknown, schema: JsonSchema, path: Path): unknown {
  if (markedAt(schema, path, "secret") || markedAt(schema, path, "operational")) return undefined;
  if (Array.isArray(value)) {
    return value.map((item, index) => shapingOf(item, schema, [...path, index]));
  }
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, shapingOf(item, schema, [...path, key])]),
  );
}
