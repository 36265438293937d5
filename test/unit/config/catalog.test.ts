import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { catalog } from "../../../connectors/catalog.ts";
import { commonKeysOf, componentSchema } from "../../../src/config/check-component.ts";
import { fileSchema } from "../../../src/config/index.ts";
import type { Connector } from "../../../src/contracts/index.ts";

const connectors = await Promise.all(
  catalog.map(async (entry) => ({ entry, connector: (await entry.load()) as Connector })),
);

test("no type stands twice in the catalog", () => {
  const names = catalog.map(({ kind, type }) => `${kind} ${type}`);
  expect(new Set(names).size).toBe(names.length);
});

describe.each(connectors)("$entry.kind $entry.type", ({ entry, connector }) => {
  test("declares the kind and type of its line", () => {
    expect([connector.kind, connector.type]).toEqual([entry.kind, entry.type]);
  });

  test("declares no key that sluice itself reads", () => {
    expect(connector.config).toBeInstanceOf(z.ZodObject);
    const own = Object.keys((connector.config as z.ZodObject).shape);
    const common = ["type", ...Object.keys(commonKeysOf(connector.kind).shape)];
    expect(own.filter((key) => common.includes(key))).toEqual([]);
  });

  test("refuses unknown keys", () => {
    expect(componentSchema(connector).additionalProperties).toBe(false);
  });

  test("has examples that are right", () => {
    for (const example of connector.examples) {
      expect(connector.config.safeParse(example.config).error?.issues ?? []).toEqual([]);
    }
    expect(connector.kind === "parser" || connector.examples.length > 0).toBe(true);
  });

  test("describes every key", () => {
    const properties = Object.entries(componentSchema(connector).properties ?? {});
    const silent = properties.filter(([, schema]) => schema.description === undefined);
    expect(silent.map(([key]) => key)).toEqual([]);
  });
});

test("schema/pipeline.schema.json is what the declarations give (node scripts/write-schema.ts)", async () => {
  const file = new URL("../../../schema/pipeline.schema.json", import.meta.url);
  expect(JSON.parse(await readFile(file, "utf8"))).toEqual(await fileSchema(catalog));
});
