import { access, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readPipeline } from "../../../src/config/index.ts";
import { fixtureCatalog, goodFile } from "./fixture-catalog.ts";
import { readText, temporaryFolder } from "./read-files.ts";

describe("connectors of the user's own", () => {
  test("are not executed by checking; the rest of the file is checked", async () => {
    const folder = await temporaryFolder();
    const marker = join(folder, "executed");
    await writeFile(
      join(folder, "mine.ts"),
      `import { writeFileSync } from "node:fs"; writeFileSync(${JSON.stringify(marker)}, "");`,
    );
    const file = join(folder, "p.yaml");
    await writeFile(
      file,
      `${goodFile}positions: 5\n`.replace("type: milvus", "type: ./mine.ts\n    dimension: -1"),
    );
    const options = { catalog: fixtureCatalog(), environment: {} };
    const { problems } = await readPipeline([file], options);
    expect(problems.map((problem) => `${problem.at.line}: ${problem.message}`)).toEqual([
      "14: `sinks.search.dimension` must be `auto` or an integer between 1 and 65536, not -1",
      "17: `positions` must be `true` or `false`, not 5",
    ]);
    await expect(access(marker)).rejects.toThrow("ENOENT");
  });

  test("that do not exist are named at their `type`", async () => {
    const path = await readText(goodFile.replace("type: milvus", "type: ./none.ts"));
    expect(path.told).toEqual([
      "p.yaml:13:11: `sinks.search`: the connector's file `./none.ts` does not exist",
    ]);
    const scoped = await readText(goodFile.replace("type: milvus", 'type: "@a/none"'));
    expect(scoped.told[0]).toMatch(/the package `@a\/none` is not installed/);
  });

  test("may be an installed package", async () => {
    const folder = await temporaryFolder();
    await mkdir(join(folder, "node_modules/my-sink"), { recursive: true });
    await writeFile(join(folder, "node_modules/my-sink/package.json"), "{}");
    await writeFile(join(folder, "p.yaml"), goodFile.replace("type: milvus", "type: my-sink"));
    const options = { catalog: fixtureCatalog(), environment: {} };
    const { problems, config } = await readPipeline([join(folder, "p.yaml")], options);
    expect(problems).toEqual([]);
    expect(config?.sinks.get("search")?.component.connector).toBeUndefined();
  });
});
