import { mkdir, writeFile } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { Command } from "commander";
import { type ExitCode, exitCodes } from "../../engine/exit-code.ts";
import { errorCode } from "../../flow/error-code.ts";
import { action, usageFault } from "../command.ts";
import { ask } from "../confirm.ts";
import { firstPipeline } from "../first-pipeline.ts";
import type { Shell } from "../shell.ts";

export function initCommand(shell: Shell): Command {
  return new Command("init")
    .description("Write a commented pipeline file that runs as it is.")
    .argument("[folder]", "where to write sluice.yaml (default: this folder)")
    .option("-y, --yes", "ask nothing")
    .action(
      action(shell, ([folder = "."], { yes }: { readonly yes?: boolean }) =>
        act(shell, folder, yes === true),
      ),
    );
}

async function act(shell: Shell, folder: string, yes: boolean): Promise<ExitCode> {
  const { terminal } = shell;
  const file = join(folder, "sluice.yaml");
  let name = nameFrom(basename(resolve(folder)));
  let root = ".";
  if (shell.interactive && !terminal.json && !yes) {
    const [where = "", called = ""] = await ask(shell, [
      `Folder with the documents, seen from ${folder} [.]: `,
      `Name of the pipeline [${name}]: `,
    ]);
    if (where !== "") root = where;
    if (called !== "") name = nameFrom(called);
  }
  await mkdir(folder, { recursive: true }).catch((error: unknown) => {
    throw usageFault(
      `The folder \`${folder}\` cannot be made (${errorCode(error) || "unknown error"}).`,
    );
  });
  await writeFile(file, firstPipeline({ name, root }), { flag: "wx" }).catch((error: unknown) => {
    if (errorCode(error) === "EEXIST") {
      throw usageFault(
        `\`${file}\` exists already and is left as it is. Remove it, or name another folder.`,
      );
    }
    throw usageFault(`\`${file}\` cannot be written (${errorCode(error) || "unknown error"}).`);
  });
  terminal.document({ file, pipeline: name });
  terminal.line(`wrote ${file}`);
  const where = folder === "." ? "" : ` ${file}`;
  terminal.note(`Next: \`sluice run${where}\`, then \`sluice query${where} "what you look for"\``);
  return exitCodes.done;
}

/** A valid name of a pipeline that looks like the text. */
function nameFrom(text: string): string {
  const name = text
    .normalize("NFKD")
    .replaceAll(/\p{M}/gu, "")
    .toLowerCase()
    .replaceAll(/[^a-z0-9_-]+/g, "-")
    .replace(/^[-_]+/, "")
    .slice(0, 63)
    .replace(/[-_]+$/, "");
  return name === "" ? "documents" : name;
}
