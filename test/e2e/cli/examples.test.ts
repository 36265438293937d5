import { spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdtemp, readFile, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { bin } from "./support/workplace.ts";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const names = readdirSync(join(root, "examples"), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);

describe("every example", () => {
  it("is in the list of the examples' README", async () => {
    const list = await readFile(join(root, "examples/README.md"), "utf8");
    const listed = [...list.matchAll(/\]\(([\w-]+)\/README\.md\)/g)].map(([, name]) => name);
    expect(listed.toSorted()).toEqual(names.toSorted());
  });

  it.each(names)("prints what its README says: %s", async (name) => {
    const folder = await realpath(await mkdtemp(join(tmpdir(), "sluice-example-")));
    try {
      await prepare(folder);
      const readme = await readFile(join(folder, name, "README.md"), "utf8");
      const steps = stepsOf(readme);
      expect(steps.length).toBeGreaterThan(0);
      for (const { command, expected } of steps) {
        const printed = await shell(command, join(folder, name));
        expect(printed, command).toMatch(patternOf(expected));
      }
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  it("would fail with another output", () => {
    expect("one\ntwo\nthree\n").toMatch(patternOf("one\n…\nthree"));
    expect("one\ntwo\nthree\n").toMatch(patternOf("one\ntw…\n…"));
    expect("one\ntwo\n").not.toMatch(patternOf("one"));
    expect("one\ntwo\n").not.toMatch(patternOf("one\nthree"));
    expect("one\n").toMatch(patternOf("one\n…"));
  });
});

/** Copies the examples away, with their way back to the sources and to installed packages. */
async function prepare(folder: string): Promise<void> {
  await cp(join(root, "examples"), folder, {
    recursive: true,
    filter: (path) => !path.endsWith(".sluice"),
  });
  await symlink(join(root, "node_modules"), join(folder, "node_modules"));
  for (const file of ["own-source/notes-source.ts", "library/sync.ts"]) {
    const text = await readFile(join(folder, file), "utf8");
    await writeFile(join(folder, file), text.replaceAll("../../src/", `${join(root, "src")}/`));
  }
}

interface Step {
  readonly command: string;
  /** What stands below the command; `…` is anything, on a line of its own any number of lines. */
  readonly expected: string;
}

function stepsOf(readme: string): Step[] {
  const blocks = [...readme.matchAll(/^```console\n([\s\S]*?)^```$/gm)].map(
    ([, text = ""]) => text,
  );
  return blocks.flatMap((block) =>
    block
      .split(/^\$ /m)
      .slice(1)
      .map((step) => {
        const [command = "", ...lines] = step.split("\n");
        return { command, expected: lines.join("\n").trim() };
      }),
  );
}

function patternOf(expected: string): RegExp {
  const lines = expected
    .split("\n")
    .map((line) =>
      line === "…" ? "(?:.*\\n)*?" : `${line.split("…").map(literal).join(".*")}\\n+`,
    );
  return new RegExp(`^${lines.join("")}\\n*$`);
}

/** A part of a line as it is, but for the width of the gaps between columns. */
function literal(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|]/g, "\\$&").replaceAll(/ {2,}/g, " {2,}");
}

/** What a person sees: both streams, as the README shows them; hints on stderr are left out where stdout has text. */
async function shell(command: string, cwd: string): Promise<string> {
  const line = command.replace(/^npx sluice/, `node '${bin}'`);
  const path = `${dirname(process.execPath)}:${process.env["PATH"] ?? ""}`;
  const child = spawn("sh", ["-c", line], { cwd, env: { PATH: path, TMPDIR: tmpdir() } });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  await once(child, "close");
  const shown = stdout === "" ? stderr : stdout;
  return shown === "" ? "\n" : shown;
}
