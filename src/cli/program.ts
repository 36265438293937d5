import { readFileSync } from "node:fs";
import { Command, CommanderError, Help, type Option } from "commander";
import { adoptCommand } from "./commands/adopt.ts";
import { cacheCommand } from "./commands/cache.ts";
import { connectorsCommand } from "./commands/connectors.ts";
import { doctorCommand } from "./commands/doctor.ts";
import { failuresCommand } from "./commands/failures.ts";
import { forgetCommand } from "./commands/forget.ts";
import { initCommand } from "./commands/init.ts";
import { modelsCommand } from "./commands/models.ts";
import { parseCommand } from "./commands/parse.ts";
import { planCommand } from "./commands/plan.ts";
import { queryCommand } from "./commands/query.ts";
import { runCommand } from "./commands/run.ts";
import { schemaCommand } from "./commands/schema.ts";
import { statusCommand } from "./commands/status.ts";
import { validateCommand } from "./commands/validate.ts";
import { verifyCommand } from "./commands/verify.ts";
import { withBoundedFlags } from "./bounded-flags.ts";
import { noDefault, usageFault } from "./command.ts";
import type { Shell } from "./shell.ts";

/** Every command, in the order of the help. */
const commands = [
  initCommand,
  validateCommand,
  planCommand,
  runCommand,
  queryCommand,
  verifyCommand,
  adoptCommand,
  forgetCommand,
  statusCommand,
  failuresCommand,
  cacheCommand,
  parseCommand,
  modelsCommand,
  connectorsCommand,
  schemaCommand,
  doctorCommand,
];

interface GlobalOptions {
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly verbose?: boolean;
}

/** Reads the command line and carries out its command. Rejects with the fault that ended it. */
export async function runProgram(shell: Shell): Promise<void> {
  const { terminal } = shell;
  const given = withBoundedFlags(shell.arguments);
  // Known before anything can go wrong with the rest of the line.
  terminal.json = optionsOf(given).includes("--json");
  refuseNodeOptions(given);
  const program = new Command("sluice")
    .description("Keeps a retrieval index in sync with the documents it was made from.")
    .option("--json", "print one JSON document on stdout and nothing else")
    .option("-q, --quiet", "say only what needs attention")
    .option("-v, --verbose", "log every step to stderr")
    .version(version(), "-V, --version")
    .addHelpText("after", "\nFILE is sluice.yaml when left out.");
  for (const command of commands) program.addCommand(command(shell));
  for (const command of withSubcommands(program)) {
    command
      .exitOverride()
      .configureHelp({ showGlobalOptions: true, optionDescription })
      .configureOutput({
        writeOut: (text) => writeHelp(shell, text),
        writeErr: () => undefined,
      });
  }
  program.hook("preAction", (_, command) => {
    const { quiet, verbose } = command.optsWithGlobals<GlobalOptions>();
    terminal.quiet = quiet === true;
    terminal.verbose = verbose === true;
  });
  if (given.length === 0 || (given.length === 1 && terminal.json)) {
    if (!terminal.json) writeHelp(shell, program.helpInformation());
    throw new CommanderError(2, "commander.help", "no command");
  }
  await program.parseAsync([...given], { from: "user" });
}

function withSubcommands(command: Command): Command[] {
  return [command, ...command.commands.flatMap(withSubcommands)];
}

/** Options that may be repeated have no default worth telling. */
function optionDescription(option: Option): string {
  return new Help().optionDescription(option).replace(` (default: ${noDefault})`, "");
}

/** Help and version go where results go. */
function writeHelp({ terminal }: Shell, text: string): void {
  if (terminal.json) terminal.document({ text: text.trimEnd() });
  else terminal.passage(text.trimEnd(), "");
}

/** Node.js looks for this option in the whole command line, and ends when the file is missing, before sluice begins. */
function refuseNodeOptions(given: readonly string[]): void {
  if (!optionsOf(given).some((word) => /^--env-file(?:-if-exists)?(?:=|$)/.test(word))) return;
  throw usageFault("`--env-file` is an option of Node.js. To read variables: `--variables FILE`.");
}

function optionsOf(given: readonly string[]): readonly string[] {
  return given.includes("--") ? given.slice(0, given.indexOf("--")) : given;
}

/** The package's version: beside the sources, or one folder further up from `dist`. */
function version(): string {
  for (const path of ["../../package.json", "../../../package.json"]) {
    const manifest = manifestAt(new URL(path, import.meta.url));
    if (manifest !== undefined) return manifest;
  }
  return "unknown";
}

function manifestAt(url: URL): string | undefined {
  let text: string;
  try {
    text = readFileSync(url, "utf8");
  } catch {
    return undefined;
  }
  const { name, version: found } = JSON.parse(text) as { name?: unknown; version?: unknown };
  return name === "sluice" && typeof found === "string" ? found : undefined;
}
