import { Command } from "commander";
import { type ExitCode, exitCodes } from "../../engine/exit-code.ts";
import { action } from "../command.ts";
import type { Shell } from "../shell.ts";

export function schemaCommand(shell: Shell): Command {
  return new Command("schema")
    .description("Print the JSON Schema of the pipeline file, for editors.")
    .action(action(shell, () => act(shell)));
}

async function act({ terminal }: Shell): Promise<ExitCode> {
  const { catalog } = await import("../../../connectors/catalog.ts");
  const { fileSchema } = await import("../../config/file-schema.ts");
  const schema = await fileSchema(catalog);
  terminal.document(schema);
  terminal.passage(JSON.stringify(schema, undefined, 2), "");
  return exitCodes.done;
}
