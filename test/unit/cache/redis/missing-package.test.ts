import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, test } from "vitest";

test("without its package, the cache says how to install it when it is first wanted", async () => {
  const index = new URL("../../../../src/cache/index.ts", import.meta.url).href;
  const script = `
    import { registerHooks } from "node:module";
    registerHooks({
      resolve(name, context, next) {
        if (name !== "@redis/client") return next(name, context);
        throw Object.assign(new Error("not found"), { code: "ERR_MODULE_NOT_FOUND" });
      },
    });
    const { redisCache } = await import(${JSON.stringify(index)});
    const settings = { url: "redis://127.0.0.1:1", prefix: "", ttlDays: 1, timeoutMs: 100 };
    const fault = await redisCache(settings).keepProbe("a", "mine").catch((error) => error);
    console.log(JSON.stringify({ code: fault.code, message: fault.message }));`;
  const run = promisify(execFile);
  const { stdout } = await run(process.execPath, ["--input-type=module", "--eval", script]);
  const { code, message } = JSON.parse(stdout) as { code: string; message: string };
  expect(code).toBe("package.missing");
  expect(message).toContain("Run `npm install @redis/client`.");
});
