import { Command } from "commander";
import type { JsonSchema } from "../../config/json-schema.ts";
import type { Connector } from "../../contracts/index.ts";
import { type ExitCode, exitCodes } from "../../engine/exit-code.ts";
import { action, usageFault } from "../command.ts";
import { table } from "../format.ts";
import type { Shell } from "../shell.ts";
import type { Terminal } from "../terminal.ts";

export function connectorsCommand(shell: Shell): Command {
  return new Command("connectors")
    .description("List the connectors, or tell the settings of one.")
    .argument("[type]", "a type, such as files; kind/type where two kinds share one")
    .action(action(shell, ([type]) => act(shell, type)));
}

async function act({ terminal }: Shell, wanted: string | undefined): Promise<ExitCode> {
  const { catalog } = await import("../../../connectors/catalog.ts");
  if (wanted === undefined) {
    const all = await Promise.all(catalog.map((entry): Promise<Connector> => entry.load()));
    terminal.document({ connectors: all.map((connector) => about(connector)) });
    const rows = all.map(({ kind, type, stability, summary }) => [kind, type, stability, summary]);
    const [head = "", ...lines] = table([["kind", "type", "stability", "does"], ...rows]);
    terminal.line(head, "bold");
    for (const line of lines) terminal.line(line);
    terminal.note("`sluice connectors TYPE` tells the settings of one.");
    return exitCodes.done;
  }
  const entries = catalog.filter(
    ({ kind, type }) => type === wanted || `${kind}/${type}` === wanted,
  );
  if (entries.length === 0) {
    const { suggestion } = await import("../../config/nearest.ts");
    const types = catalog.map(({ type }) => type);
    throw usageFault(`There is no connector \`${wanted}\`${suggestion(wanted, types)}`);
  }
  const found = await Promise.all(entries.map((entry): Promise<Connector> => entry.load()));
  const { componentSchema } = await import("../../config/check-component.ts");
  const references = found.map((connector) => {
    const schema = componentSchema(connector);
    return { ...about(connector), examples: connector.examples, schema };
  });
  terminal.document({ connectors: references });
  const { stringify } = await import("yaml");
  for (const [index, connector] of found.entries()) {
    const schema = references[index]?.schema ?? {};
    tell(terminal, connector, schema, stringify);
  }
  return exitCodes.done;
}

function about({ kind, type, summary, stability, packages }: Connector): object {
  return { kind, type, stability, summary, packages };
}

function tell(
  terminal: Terminal,
  { kind, type, summary, stability, examples }: Connector,
  schema: JsonSchema,
  stringify: (value: unknown) => string,
): void {
  terminal.line(`${kind} ${type}${stability === "stable" ? "" : ` (${stability})`}`, "bold");
  terminal.line(`  ${summary}`);
  terminal.line();
  for (const [name, setting] of Object.entries(schema.properties ?? {})) {
    if (name === "type") continue;
    const needed = schema.required?.includes(name) === true && setting.default === undefined;
    terminal.line(`  ${name}${needed ? " (needed)" : ""}  ${shapeOf(setting)}`);
    if (setting.description !== undefined) terminal.line(`      ${setting.description}`);
  }
  for (const { title, config } of examples) {
    terminal.line();
    terminal.line(`  ${title}:`, "dim");
    const named = kind === "parser" ? { [type]: config } : { type, ...(config as object) };
    terminal.passage(stringify(named).trimEnd(), "    ");
  }
  terminal.line();
}

/** What a setting takes, in a few words. */
function shapeOf(setting: JsonSchema): string {
  const shape = wordsOf(setting);
  const secret = setting.secret === true ? ", secret" : "";
  const initial = setting.default;
  const given = initial === undefined ? "" : `, default ${JSON.stringify(initial)}`;
  return `${shape}${secret}${given}`;
}

function wordsOf(setting: JsonSchema): string {
  if (setting.enum !== undefined) return setting.enum.map(String).join(" | ");
  if (setting.const !== undefined) return String(setting.const);
  const branches = setting.anyOf ?? setting.oneOf;
  if (branches !== undefined) return branches.map(wordsOf).join(" | ");
  if (setting.items !== undefined) return `list of ${wordsOf(setting.items)}`;
  const { type = "map" } = setting;
  if (type === "object") return "map";
  return typeof type === "string" ? type : type.join(" | ");
}
