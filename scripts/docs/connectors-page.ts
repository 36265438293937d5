import { stringify } from "yaml";
import { catalog } from "../../connectors/catalog.ts";
import { componentSchema } from "../../src/config/check-component.ts";
import type { JsonSchema } from "../../src/config/json-schema.ts";
import type { Connector, ConnectorKind } from "../../src/contracts/index.ts";

const introduction = `# Connectors

This page is made from the declarations of the connectors, by \`node scripts/write-docs.ts\`. \`sluice connectors TYPE\`
prints the same for one of them.

A setting marked _operational_ does not change what is made of a document, so a change of it makes no work. A setting
marked _secret_ is hidden wherever sluice shows something.
`;

const chapters: Readonly<Record<ConnectorKind, string>> = {
  source: "Sources",
  parser: "Parsers",
  chunker: "Chunkers",
  embedder: "Embedders",
  sink: "Sinks",
};

/** Where a connector of each kind stands in a pipeline file. */
const places: Readonly<Record<ConnectorKind, (type: string, config: object) => object>> = {
  source: (type, config) => ({ sources: { docs: { type, ...config } } }),
  parser: (type, config) => ({
    sources: { docs: { type: "files", root: "../docs", parsers: { [type]: config } } },
  }),
  chunker: (type, config) => ({ chunker: { type, ...config } }),
  embedder: (type, config) => ({ embedder: { type, ...config } }),
  sink: (type, config) => ({ sinks: { search: { type, ...config } } }),
};

/** Writes `docs/reference/connectors.md` from the catalog. */
export async function writeConnectorsPage(): Promise<string> {
  const connectors = await Promise.all(catalog.map((entry): Promise<Connector> => entry.load()));
  const groups = Map.groupBy(connectors, ({ kind }) => kind);
  const sections = [...groups].flatMap(([kind, members]) => [
    `## ${chapters[kind]}\n`,
    ...members.map(sectionOf),
  ]);
  return [introduction, ...sections].join("\n");
}

function sectionOf(connector: Connector): string {
  const { kind, type, summary, stability, packages } = connector;
  const schema = componentSchema(connector);
  const settings = Object.entries(schema.properties ?? {}).filter(([name]) => name !== "type");
  const lines = settings.flatMap(([name, setting]) => linesOf(name, setting, schema));
  const parts = [
    `### \`${type}\`\n`,
    `${summary} Stability: ${stability}.${packagesText(packages)}\n`,
    ...(lines.length === 0 ? ["It has no settings.\n"] : [`${lines.join("\n")}\n`]),
    ...connector.examples.map((example) => {
      const config = places[kind](type, example.config as object);
      return `${example.title}:\n\n\`\`\`yaml\n${stringify(config)}\`\`\`\n`;
    }),
  ];
  return parts.join("\n");
}

function packagesText(packages: readonly string[]): string {
  if (packages.length === 0) return "";
  return ` Loads, when it is used: ${packages.map((name) => `\`${name}\``).join(", ")}.`;
}

/** A setting, and below it those of a map with known keys. */
function linesOf(name: string, setting: JsonSchema, whole: JsonSchema): string[] {
  const members = Object.entries(setting.properties ?? {});
  const below = members.map(
    ([key, member]) => `  - ${describe(`${name}.${key}`, member, setting)}`,
  );
  return [`- ${describe(name, setting, whole)}`, ...below];
}

function describe(name: string, setting: JsonSchema, whole: JsonSchema): string {
  const needed = whole.required?.includes(name) === true && setting.default === undefined;
  const marks = [
    shapeOf(setting),
    ...(needed ? ["needed"] : []),
    ...(isNothing(setting.default) ? [] : [`default \`${JSON.stringify(setting.default)}\``]),
    ...(setting.operational === true ? ["_operational_"] : []),
    ...(setting.secret === true ? ["_secret_"] : []),
  ];
  return `\`${name}\` (${marks.join(", ")}). ${setting.description ?? ""}`.trimEnd();
}

function isNothing(value: unknown): boolean {
  return value === undefined || (typeof value === "object" && JSON.stringify(value).length === 2);
}

/** What a setting takes, in a few words. */
function shapeOf(setting: JsonSchema): string {
  if (setting.enum !== undefined) {
    return setting.enum.map((value) => `\`${String(value)}\``).join(" or ");
  }
  if (setting.const !== undefined) return `\`${String(setting.const)}\``;
  const branches = setting.anyOf ?? setting.oneOf;
  if (branches !== undefined) return branches.map(shapeOf).join(" or ");
  if (setting.items !== undefined) return `list of ${shapeOf(setting.items)}`;
  if (setting.type === "integer" || setting.type === "number") return numberShape(setting);
  return typeof setting.type === "string" && setting.type !== "object" ? setting.type : "map";
}

function numberShape({ type, minimum, maximum }: JsonSchema): string {
  if (minimum === undefined || maximum === undefined) return String(type);
  return `${String(type)} from ${minimum} to ${maximum}`;
}
