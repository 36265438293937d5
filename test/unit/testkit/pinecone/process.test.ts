import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { sender } from "./support.ts";

const script = join(import.meta.dirname, "../../../../scripts/pinecone-emulator.ts");

function startProcess(...options: readonly string[]) {
  const child = spawn(process.execPath, [script, ...options], { stdio: ["pipe", "pipe", "pipe"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  const exit = once(child, "exit") as Promise<[number | null, string | null]>;
  return { child, exit };
}

async function firstLine(child: ReturnType<typeof startProcess>["child"]): Promise<string> {
  for await (const line of createInterface(child.stdout)) return line;
  throw new Error("The process ended without a line.");
}

describe("scripts/pinecone-emulator.ts", () => {
  it("tells its address as one line of JSON, serves, and ends with a signal", async () => {
    const { child, exit } = startProcess("--api-key", "secret", "--visibility-delay-ms", "100000");
    const { url } = JSON.parse(await firstLine(child)) as { url: string };
    expect(await sender(url)("GET /indexes")).toMatchObject({ status: 401 });
    const send = sender(url, { key: "secret" });
    const spec = { serverless: { cloud: "aws", region: "us-east-1" } };
    const { body } = await send("POST /indexes", { name: "a", dimension: 2, spec });
    const data = sender((body as { host: string }).host, { key: "secret" });
    await data("POST /vectors/upsert", { vectors: [{ id: "a", values: [1, 2] }] });
    expect(await data("GET /vectors/fetch?ids=a")).toMatchObject({ body: { vectors: {} } });
    child.kill("SIGTERM");
    expect(await exit).toEqual([0, null]);
  });

  it("ends when what started it is gone", async () => {
    const { child, exit } = startProcess();
    await firstLine(child);
    child.stdin.end();
    expect(await exit).toEqual([0, null]);
  });

  it("refuses options that it does not know, and numbers that are none", async () => {
    for (const options of [
      ["--ports", "1"],
      ["--port", "x"],
      ["--visibility-delay-ms", "-1"],
    ]) {
      const { exit } = startProcess(...options);
      expect((await exit)[0], options.join(" ")).toBe(1);
    }
  });
});
