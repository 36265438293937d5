import type { Catalog, Connector, ConnectorKind, Json, JsonObject } from "../contracts/index.ts";
import { commonKeysOf, componentSchema } from "./check-component.ts";
import { type JsonSchema, toJsonSchema } from "./json-schema.ts";
import { pipelineSchema } from "./pipeline-schema.ts";

const variable: JsonSchema = { $ref: "#/$defs/variable" };

/** Paths, scoped packages and packages named after sluice; a plain word is more likely a typing mistake. */
const externalType = String.raw`^(\.{1,2}/|/|file:|@)|sluice-|-sluice`;

/**
 * The JSON Schema of the pipeline file with every connector of the catalog, for editors. Where a number, a choice or a
 * URL is wanted, a variable (`${…}`) will do.
 */
export async function fileSchema(catalog: Catalog): Promise<JsonObject> {
  const connectors: readonly Connector[] = await Promise.all(catalog.map((entry) => entry.load()));
  const { $defs: coreDefinitions, ...core } = toJsonSchema(pipelineSchema, "core-");
  const definitions: Record<string, JsonSchema> = { ...coreDefinitions };
  for (const connector of connectors) {
    const { $defs, ...schema } = componentSchema(connector);
    Object.assign(definitions, $defs);
    definitions[`${connector.kind}-${connector.type}`] = refer(schema, connectors);
  }
  for (const kind of ["source", "chunker", "embedder", "sink"] as const) {
    definitions[kind] = anyConnector(kind, connectors);
  }
  const properties = { ...core.properties };
  for (const group of ["sources", "sinks"] as const) {
    const member = { $ref: `#/$defs/${group.slice(0, -1)}` };
    properties[group] = { ...properties[group], additionalProperties: member };
  }
  for (const kind of ["embedder", "chunker"] as const) {
    properties[kind] = { ...described(properties[kind]), $ref: `#/$defs/${kind}` };
  }
  const parts = allowVariables({ ...core, properties, $defs: definitions });
  const $defs = { variable: variableDefinition, ...parts.$defs };
  return toJson({
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "A pipeline of sluice",
    ...parts,
    $defs,
  });
}

const variableDefinition: JsonSchema = {
  type: "string",
  pattern: String.raw`\$\{.+\}`,
  description: "A value from the environment: `${NAME}` or `${NAME:-default}`.",
};

/** The connectors of a kind, told apart by `type`; and those that are not in the catalog. */
function anyConnector(kind: ConnectorKind, connectors: readonly Connector[]): JsonSchema {
  const known = connectors.filter((connector) => connector.kind === kind);
  const common = refer(toJsonSchema(commonKeysOf(kind), "common-"), connectors);
  const external: JsonSchema = {
    type: "object",
    description: `A ${kind} of your own, by path or package.`,
    properties: {
      type: { type: "string", pattern: externalType },
      ...common.properties,
    },
    required: ["type"],
  };
  return {
    oneOf: [...known.map(({ type }) => ({ $ref: `#/$defs/${kind}-${type}` })), external],
  };
}

/** Lets the keys of a source that hold components refer to them. */
function refer(schema: JsonSchema, connectors: readonly Connector[]): JsonSchema {
  const { parsers, chunker } = schema.properties ?? {};
  if (parsers === undefined || chunker === undefined) return schema;
  const types = connectors.filter(({ kind }) => kind === "parser").map(({ type }) => type);
  const known = types.map((type) => [type, { $ref: `#/$defs/parser-${type}` }] as const);
  const properties = {
    ...schema.properties,
    parsers: { ...parsers, properties: Object.fromEntries(known) },
    chunker: { ...described(chunker), $ref: "#/$defs/chunker" },
  };
  return { ...schema, properties };
}

function described(schema: JsonSchema | undefined): JsonSchema {
  return schema?.description === undefined ? {} : { description: schema.description };
}

/** Accepts a variable wherever text alone would be refused, except as the `type` of a component. */
function allowVariables(schema: JsonSchema): JsonSchema {
  const { properties, additionalProperties, items, oneOf, $defs } = schema;
  const inner = (member: JsonSchema, key?: string): JsonSchema =>
    key === "type" ? member : orVariable(allowVariables(member));
  return {
    ...schema,
    ...(properties === undefined ? {} : { properties: mapMembers(properties, inner) }),
    ...(items === undefined ? {} : { items: inner(items) }),
    ...(typeof additionalProperties === "object"
      ? { additionalProperties: inner(additionalProperties) }
      : {}),
    ...(oneOf === undefined ? {} : { oneOf: oneOf.map((branch) => allowVariables(branch)) }),
    ...($defs === undefined
      ? {}
      : { $defs: mapMembers($defs, (member) => allowVariables(member)) }),
  };
}

function mapMembers(
  members: Readonly<Record<string, JsonSchema>>,
  change: (member: JsonSchema, key: string) => JsonSchema,
): Record<string, JsonSchema> {
  return Object.fromEntries(
    Object.entries(members).map(([key, member]) => [key, change(member, key)]),
  );
}

function orVariable(schema: JsonSchema): JsonSchema {
  const { description, default: initial, ...rest } = schema;
  const about = {
    ...(description === undefined ? {} : { description }),
    ...(initial === undefined ? {} : { default: initial }),
  };
  if (schema.anyOf !== undefined) return { ...schema, anyOf: [...schema.anyOf, variable] };
  return acceptsVariable(schema) ? schema : { ...about, anyOf: [rest, variable] };
}

/** Whether a text with a variable passes already, or no scalar would. */
function acceptsVariable(schema: JsonSchema): boolean {
  if (schema.enum !== undefined || schema.const !== undefined) return false;
  if (schema.type === "string") return schema.pattern === undefined && schema.format === undefined;
  return schema.type === undefined || schema.type === "object" || schema.type === "array";
}

/** Plain JSON without our own marks, which editors do not know. */
function toJson(schema: object): JsonObject {
  const text = JSON.stringify(schema, (key, value: Json) =>
    (key === "secret" || key === "operational") && typeof value === "boolean" ? undefined : value,
  );
  return JSON.parse(text) as JsonObject;
}
