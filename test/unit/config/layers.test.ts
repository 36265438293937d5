import { describe, expect, test } from "vitest";
import { goodFile } from "./fixture-catalog.ts";
import { readText, readTexts } from "./read-files.ts";

describe("layered files", () => {
  test("merge maps deep, replace lists, and keep each problem's own file", async () => {
    const base = goodFile.replace("root: ../docs", "root: ../docs\n    include: [a, b]");
    const over =
      "sources: { docs: { include: [c] } }\nsinks:\n  search:\n    address: prod:1\n    colection: x\n";
    const { told } = await readTexts([base, over]);
    expect(told).toEqual([
      "p1.yaml:5:5: unknown key `colection` under `sinks.search`; did you mean `collection`?",
    ]);
    const { config } = await readTexts([base, over.replace("colection: x", "token: t")]);
    expect(config?.sources.get("docs")?.component.config).toEqual({
      root: "../docs",
      include: ["c"],
    });
    expect(config?.sinks.get("search")?.component.config).toMatchObject({
      address: "prod:1",
      collection: "handbook",
      token: "t",
    });
  });

  test("with a broken layer tell that layer's problem and none that follow from it", async () => {
    const { told } = await readTexts(["name: x\n", "sinks: [\n"]);
    expect(told).toHaveLength(1);
    expect(told[0]).toMatch(/^p1\.yaml:/);
  });

  test("take settings over the files", async () => {
    const { told, config } = await readText(goodFile, {
      settings: ["sinks.search.dimension=512", 'sources.docs.include=["x"]', "name=other"],
    });
    expect(told).toEqual([]);
    expect(config?.name).toBe("other");
    expect(config?.sinks.get("search")?.dimension).toBe(512);
    expect(config?.sources.get("docs")?.component.config).toMatchObject({ include: ["x"] });
  });

  test.each([
    [
      "sinks.search.dimension=big",
      /^--set sinks\.search\.dimension:1:1: `sinks\.search\.dimension` must be `auto` or an integer/,
    ],
    [
      "sinks.search.dimensoin=5",
      /^--set sinks\.search\.dimensoin:1:1: unknown key `dimensoin`.*did you mean `dimension`/,
    ],
    ["nothing", /write `path=value`/],
    ["a..b=1", /a key of the path is empty/],
    ["name=", /the value is empty/],
    ["__proto__.x=1", /`__proto__` is not allowed/],
    ["name=[", /not valid YAML/],
  ])("refuse the setting %s with a place", async (setting, message) => {
    const { told } = await readText(goodFile, { settings: [setting] });
    expect(told).toHaveLength(1);
    expect(told[0]).toMatch(message);
  });

  test("refuse to set a part of a list", async () => {
    const { told } = await readText(
      goodFile.replace("root: ../docs", "root: x\n    include: [a]"),
      {
        settings: ["sources.docs.include.0=b"],
      },
    );
    expect(told[0]).toMatch(/`sources\.docs\.include` is a list; set the whole list/);
  });
});
