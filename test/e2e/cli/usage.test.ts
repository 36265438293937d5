import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { documents, offlinePipeline, Workplace } from "./support/workplace.ts";

it("ends with 2 on every wrong use, and with --json prints the error as one document", async () => {
  await using place = await Workplace.make({ "sluice.yaml": offlinePipeline });
  const wrong: readonly (readonly string[])[] = [
    ["conectors"],
    ["run", "--no-such-option"],
    ["run", "--limit", "many"],
    ["run", "no-such-file.yaml"],
    ["run", "sluice.yaml", "sluice.yaml", "--watch"],
    ["plan", "--set", "embedder.typ=lexical"],
    ["query", "text", "--filter", "no operator"],
    ["query", "sluice.yaml", "two", "words"],
    ["adopt"],
    ["forget"],
    ["connectors", "file"],
    ["parse", "no-such-document.md"],
    ["cache", "stats", "--set", "cache.type=none"],
  ];
  await Promise.all(
    wrong.map(async (given) => {
      const outcome = await place.sluice(...given, "--json");
      expect([given, outcome.code]).toEqual([given, 2]);
      const { error } = outcome.json<{ error: { code: string; message: string } }>();
      expect(error.code).toBe("config.invalid");
      expect(error.message).not.toBe("");
      expect(outcome.stderr).toContain(error.message.split("\n")[0]);
    }),
  );
});

it("names the command that was meant, and the file to write when there is none", async () => {
  await using place = await Workplace.make();
  const [misspelt, empty, nothing] = await Promise.all([
    place.sluice("conectors"),
    place.sluice("run"),
    place.sluice(),
  ]);
  expect(misspelt.stderr).toContain("Did you mean connectors?");
  expect(empty.stderr).toContain("sluice init");
  expect(nothing.code).toBe(2);
  expect(nothing.stdout).toContain("Usage: sluice");
});

it("names a wrong option as it was typed", async () => {
  await using place = await Workplace.make({ "sluice.yaml": offlinePipeline });
  const [wrong, elsewhere] = await Promise.all([
    place.sluice("run", "--allow-deletions=some"),
    place.sluice("plan", "--allow-deletions=3"),
  ]);
  for (const { code, stderr } of [wrong, elsewhere]) {
    expect(code).toBe(2);
    expect(stderr).toContain("'--allow-deletions=");
    expect(stderr).not.toContain("up-to");
  }
  expect(wrong.stderr).toContain("a whole number from 0");
});

it("points at file, line and column of every wrong key at once", async () => {
  const broken = offlinePipeline.replace("root:", "rot:").replace("collection:", "colection:");
  await using place = await Workplace.make({ "sluice.yaml": broken });
  const [plain, json] = await Promise.all([
    place.sluice("validate"),
    place.sluice("validate", "--json"),
  ]);
  expect(plain.code).toBe(2);
  expect(plain.stderr).toMatch(/^sluice\.yaml:4:24: .*`rot`.*did you mean `root`/m);
  expect(plain.stderr).toMatch(/^sluice\.yaml:7:48: .*`colection`.*did you mean `collection`/m);
  const { valid, files } = json.json<{
    valid: boolean;
    files: { problems: { line: number; column: number }[] }[];
  }>();
  expect(valid).toBe(false);
  const places = files.flatMap((file) => file.problems.map(({ line, column }) => [line, column]));
  expect(places).toContainEqual([4, 24]);
  expect(places).toContainEqual([7, 48]);
});

it("validates without making a file and lists what there is", async () => {
  await using place = await Workplace.make({ "sluice.yaml": offlinePipeline });
  const [valid, help, version, connectors, schema] = await Promise.all([
    place.sluice("validate", "--json"),
    place.sluice("run", "--help"),
    place.sluice("--version"),
    place.sluice("connectors", "files", "--json"),
    place.sluice("schema", "--json"),
  ]);
  expect(valid.json()).toMatchObject({ valid: true, files: [{ pipeline: "handbook" }] });
  expect(help.code).toBe(0);
  expect(help.stdout).toContain("--allow-deletions");
  expect(help.stdout).toContain("--json");
  expect(help.stdout).not.toContain("up-to");
  expect(version.stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  expect(connectors.json()).toMatchObject({ connectors: [{ kind: "source", type: "files" }] });
  expect(schema.json()).toHaveProperty("properties.sinks");
});

it("writes with init a pipeline that runs, and never over another file", async () => {
  await using place = await Workplace.make(documents(1));
  await mkdir(join(place.folder, "Meine Bücher"));
  const written = await place.sluice("init", "--json");
  expect(written.json()).toMatchObject({ file: "sluice.yaml" });
  const [again, elsewhere, run] = await Promise.all([
    place.sluice("init", "--json"),
    place.sluice("init", "Meine Bücher", "--json"),
    place.sluice("run", "--json"),
  ]);
  expect(again.code).toBe(2);
  expect(again.json<{ error: { message: string } }>().error.message).toContain("exists already");
  expect(elsewhere.json()).toMatchObject({ pipeline: "meine-bucher" });
  expect(run.code).toBe(0);
  expect(run.json()).toMatchObject({ status: "succeeded", documents: { added: 1 } });
  const { stdout } = await place.sluice("query", "topic0");
  expect(stdout.match(/Page 0/g)).toHaveLength(1);
});

it("is silent and successful when nobody reads its output to the end", async () => {
  await using place = await Workplace.make();
  const schema = place.start("schema");
  schema.process.stdout?.destroy();
  const { code, stderr } = await schema.ended;
  expect([code, stderr]).toEqual([0, ""]);
});
