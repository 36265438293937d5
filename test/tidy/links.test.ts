import { posix } from "node:path";
import { Command } from "commander";
import { describe, expect, it } from "vitest";
import { parsePipeline } from "../../src/load-pipeline.ts";
import { Terminal } from "../../src/cli/terminal.ts";
import type { Shell } from "../../src/cli/shell.ts";
import { StopSignals } from "../../src/cli/stop-signals.ts";
import { anchorsOf, codeSpansOf, type Fence, fencesOf, pages, proseOf } from "./markdown.ts";
import { code, files, filesLike, root, textOf } from "./tree.ts";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { mkdtempDisposable } from "node:fs/promises";
import { tmpdir } from "node:os";

const folders = new Set(files.flatMap((path) => parentsOf(path)));
const fences = pages.flatMap((page) => fencesOf(page));

describe("the pages", () => {
  it("link only to pages, files and headings that exist", () => {
    expect(pages.flatMap((page) => brokenLinks(page, proseOf(page)))).toEqual([]);
  });

  it("name only paths that exist", () => {
    const spans = pages.flatMap((page) => codeSpansOf(page).map((span) => ({ page, ...span })));
    const wrong = spans
      .filter(({ text }) => isPath(text) && !exists(text.replace(/\/$/, "")))
      .map(({ page, line, text }) => `${page}:${line}: ${text}`);
    expect(wrong).toEqual([]);
  });

  it("name only functions that the code has", () => {
    const source = code.filter((path) => !path.startsWith("test/")).map((path) => textOf(path));
    const words = new Set(source.flatMap((text) => text.match(/[A-Za-z_]\w*/g) ?? []));
    const wrong = pages.flatMap((page) =>
      codeSpansOf(page)
        .map(({ text, line }) => [/^(?:\w+\.)*#?(\w+)\(\)$/.exec(text)?.[1], line] as const)
        .filter(([name]) => name !== undefined && !words.has(name))
        .map(([name, line]) => `${page}:${line}: ${name}()`),
    );
    expect(wrong).toEqual([]);
  });

  it("would notice a broken link, path and anchor", () => {
    const page = "docs/faults.md";
    expect(brokenLinks(page, "[a](no-such-page.md)")).toHaveLength(1);
    expect(brokenLinks(page, "[a](faults.md#no-such-heading)")).toHaveLength(1);
    expect(brokenLinks(page, "[a](faults.md#sources) [b](https://example.com)")).toEqual([]);
    expect(isPath("src/engine/nowhere.ts") && exists("src/engine/nowhere.ts")).toBe(false);
  });
});

describe("the command lines shown", () => {
  const shown = [
    ...fences.filter(({ language }) => /^(?:sh|bash|console)$/.test(language)).flatMap(linesOf),
    ...pages.flatMap((page) =>
      codeSpansOf(page)
        .filter(({ text }) => /^(?:npx )?sluice [a-z-]/.test(text))
        // A fault says what to type; other pages may speak of a command by its name.
        .map(({ text, line }) => ({
          place: `${page}:${line}`,
          text,
          isMention: page !== "docs/faults.md",
        })),
    ),
  ];

  it("parse with the command line of sluice", async () => {
    const wrong: string[] = [];
    for (const { place, text, isMention } of shown) {
      for (const words of commandsIn(text)) {
        const problem = await problemOf(words, isMention);
        if (problem !== undefined) wrong.push(`${place}: ${text}: ${problem}`);
      }
    }
    expect(wrong).toEqual([]);
    expect(shown.length).toBeGreaterThan(50);
  });

  it("would be noticed with a wrong command, option or too few words", async () => {
    expect(await problemOf(["rnu"], false)).toBeDefined();
    expect(await problemOf(["run", "--al-deletions"], false)).toBeDefined();
    expect(await problemOf(["adopt"], false)).toBeDefined();
    expect(await problemOf(["adopt"], true)).toBeUndefined();
    expect(commandsIn('A=1 npx sluice query x.yaml "a b" | head')).toEqual([
      ["query", "x.yaml", "a b"],
    ]);
  });
});

describe("the YAML shown", () => {
  const blocks = fences.filter(({ language }) => language === "yaml");

  it("is a pipeline that validates, or a part of one", async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), "sluice-docs-"));
    const base = join(folder.path, "base.yaml");
    await writeFile(base, basePipeline);
    const wrong: string[] = [];
    for (const [index, block] of blocks.entries()) {
      const file = join(folder.path, `block-${index}.yaml`);
      await writeFile(file, block.text);
      const layers = isWhole(block) ? ([file] as const) : ([base, file] as const);
      const { problems } = await parsePipeline(layers, { env: {} });
      wrong.push(
        ...problems.map(
          ({ at, message }) => `${block.page}:${block.line + at.line - 1}: ${message}`,
        ),
      );
    }
    expect(wrong).toEqual([]);
    expect(blocks.filter(isWhole).length).toBeGreaterThan(2);
  });

  it("would be noticed with an unknown key", async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), "sluice-docs-"));
    const file = join(folder.path, "wrong.yaml");
    await writeFile(file, `${basePipeline}\nlimts: {}\n`);
    expect((await parsePipeline([file], { env: {} })).problems).toHaveLength(1);
  });
});

describe("the JSON shown", () => {
  it("is JSON", () => {
    for (const { language, text, page, line } of fences) {
      if (language === "json") expect(() => JSON.parse(text), `${page}:${line}`).not.toThrow();
    }
  });
});

describe("the TypeScript shown", () => {
  it("is a whole file of `test/tidy/guide`, which is type-checked and run", () => {
    const known = new Map(
      filesLike("test/tidy/guide/*.ts").map((path) => [publicText(textOf(path)), path]),
    );
    const wrong = fences
      .filter(({ language }) => language === "ts")
      .filter(({ text }) => !known.has(text))
      .map(({ page, line }) => `${page}:${line}`);
    expect(wrong).toEqual([]);
  });
});

/** A file as a user of the package would write it. */
function publicText(text: string): string {
  return text
    .replaceAll('"../../../src/index.ts"', '"sluice"')
    .replaceAll('"../../../src/testkit/index.ts"', '"sluice/testkit"');
}

const basePipeline = `name: base
sources: { base_source: { type: files, root: . } }
embedder: { type: lexical }
sinks: { base_sink: { type: memory, collection: base } }
`;

function isWhole({ text }: Fence): boolean {
  return ["name", "sources", "embedder", "sinks"].every((key) =>
    new RegExp(`^${key}:`, "m").test(text),
  );
}

function brokenLinks(page: string, prose: string): string[] {
  const targets = [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = ""]) => target);
  return targets
    .filter((target) => !/^[a-z]+:/.test(target))
    .filter((target) => {
      const [path = "", anchor] = target.split("#");
      const file = path === "" ? page : posix.join(posix.dirname(page), path).replace(/\/$/, "");
      if (!exists(file)) return true;
      return anchor !== undefined && !anchorsOf(file).has(anchor);
    })
    .map((target) => `${page}: ${target}`);
}

const rooms =
  /^(?:src|connectors|pipelines|examples|test|bench|docs|scripts|schema|bin)\/[\w./-]*$/;

function isPath(text: string): boolean {
  return rooms.test(text);
}

function exists(path: string): boolean {
  return files.includes(path) || folders.has(path);
}

function parentsOf(path: string): string[] {
  const parts = path.split("/");
  return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join("/"));
}

/** The commands of a block; what they print is left out. */
function linesOf({ page, line, language, text }: Fence) {
  return text
    .replaceAll(/\\\n\s*/g, " ")
    .split("\n")
    .map((content, index) => ({
      place: `${page}:${line + index}`,
      text: content.replace(/^\$ /, ""),
      isMention: false,
      isCommand: language !== "console" || content.startsWith("$ "),
    }))
    .filter(({ isCommand }) => isCommand);
}

/** The words behind every `sluice` in a line of shell. */
function commandsIn(line: string): string[][] {
  const words = [
    ...line.matchAll(/"((?:[^"\\]|\\.)*)"|'([^']*)'|(\|\||&&|[|;])|(#.*)|([^\s"'|;&#]\S*)/g),
  ];
  const commands: string[][] = [];
  let current: string[] | undefined;
  for (const [whole, double, single, operator, comment] of words) {
    if (comment !== undefined) break;
    if (operator !== undefined) current = undefined;
    else if (current !== undefined) current.push(double ?? single ?? whole);
    else if (whole === "sluice") {
      current = [];
      commands.push(current);
    }
  }
  return commands;
}

const shell: Shell = {
  terminal: new Terminal({ stdout: process.stdout, stderr: process.stderr, environment: {} }),
  stop: new StopSignals(),
  arguments: [],
  interactive: false,
  exitCode: 0,
};

/** The program as `src/cli/program.ts` puts it together, with commands that do nothing. */
async function idleProgram(): Promise<Command> {
  const program = new Command("sluice")
    .option("--json")
    .option("-q, --quiet")
    .option("-v, --verbose");
  program.version("0", "-V, --version");
  for (const path of filesLike("src/cli/commands/*.ts")) {
    const exported: Record<string, unknown> = await import(join(root, path));
    for (const [name, make] of Object.entries(exported)) {
      if (!name.endsWith("Command") || typeof make !== "function") continue;
      program.addCommand((make as (given: Shell) => Command)(shell));
    }
  }
  for (const command of withSubcommands(program)) {
    command.exitOverride().configureOutput({ writeOut: () => {}, writeErr: () => {} });
    if (command.commands.length === 0) command.action(() => {});
  }
  return program;
}

function withSubcommands(command: Command): Command[] {
  return [command, ...command.commands.flatMap(withSubcommands)];
}

/** Why a command line is wrong. A mention of a command alone need not have what the command needs. */
async function problemOf(
  words: readonly string[],
  isMention: boolean,
): Promise<string | undefined> {
  const program = await idleProgram();
  if (isMention && words.every((word) => /^[a-z-]+$/.test(word)) && words.length <= 2) {
    let found: Command | undefined = program;
    for (const word of words) found = found?.commands.find((command) => command.name() === word);
    if (found !== undefined) return undefined;
  }
  const given = words.map((word) =>
    word.replace(/^--allow-deletions=.*/, "--allow-deletions").replace(/^N$/, "5"),
  );
  try {
    await program.parseAsync(given, { from: "user" });
    return undefined;
  } catch (error) {
    const { exitCode, message } = error as { exitCode?: number; message: string };
    return exitCode === 0 ? undefined : message;
  }
}
