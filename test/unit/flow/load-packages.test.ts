import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { inTurn, loadPackages } from "../../../src/flow/load-packages.ts";
import { faultOf } from "../../e2e/support/sync.ts";

const execute = promisify(execFile);
const file = fileURLToPath(new URL("../../../src/flow/load-packages.ts", import.meta.url));
const use = { user: "The sink `odd`", packages: ["odd-client", "odd-wire"] };

describe("loading packages", () => {
  it("is done for one after another, in the order of the questions, also after a failure", async () => {
    const log: string[] = [];
    const gate = Promise.withResolvers<void>();
    const first = loadPackages(use, async () => {
      log.push("first begins");
      await gate.promise;
      log.push("first ends");
      return 1;
    });
    const second = inTurn(async () => {
      log.push("second");
      throw new Error("broken");
    });
    const third = loadPackages(use, async () => log.push("third"));
    await new Promise(setImmediate);
    expect(log).toEqual(["first begins"]);
    gate.resolve();
    await expect(second).rejects.toThrow("broken");
    expect([await first, await third]).toEqual([1, 4]);
    expect(log).toEqual(["first begins", "first ends", "second", "third"]);
  });

  it("tells who needs what when it is not installed", async () => {
    const absent = loadPackages(use, () => import(`${"odd"}-client`) as Promise<object>);
    expect(await faultOf(absent)).toEqual({
      code: "package.missing",
      message:
        "The sink `odd` needs the packages `odd-client` and `odd-wire`. Run `npm install odd-client odd-wire`.",
    });
  });

  it("tells of a package that is installed and broken as such", async () => {
    const cause = Object.assign(new Error("no such symbol"), { code: "ERR_DLOPEN_FAILED" });
    const broken = loadPackages({ ...use, packages: ["odd-client"] }, () => Promise.reject(cause));
    expect(await faultOf(broken)).toEqual({
      code: "package.missing",
      message:
        "The sink `odd` cannot load the package `odd-client` (ERR_DLOPEN_FAILED). Run `npm install odd-client`.",
    });
  });

  it("keeps packages apart that would break one another", async () => {
    const names = ["@zilliz/milvus2-sdk-node", "weaviate-client"];
    const program = `
      const { inTurn } = await import(${JSON.stringify(file)});
      const names = ${JSON.stringify(names)};
      await Promise.all(names.map((name) => inTurn(() => import(name))));
      console.log("loaded");`;
    const options = ["--input-type=module", "--eval", program];
    const { stdout } = await execute(process.execPath, options);
    expect(stdout).toBe("loaded\n");
  });
});
