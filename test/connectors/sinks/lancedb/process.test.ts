import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { describe, expect, it, onTestFinished } from "vitest";
import { temporaryFolder } from "./harness.ts";

const script = new URL("./child.ts", import.meta.url).pathname;

/** Runs the child in a shell that may set limits, and gives what it printed. */
async function runChild(task: string, limit = ":", environment: Record<string, string> = {}) {
  const folder = await temporaryFolder({
    defer: (cleanup) => onTestFinished(() => void cleanup()),
  });
  const { LANCEDB_LOG: _, ...inherited } = process.env;
  const { stdout, stderr } = await promisify(execFile)(
    "/bin/sh",
    ["-c", `${limit}; exec "$0" "$@"`, process.execPath, script, folder, task],
    { env: { ...inherited, NODE_NO_WARNINGS: "1", ...environment } },
  );
  return { answer: JSON.parse(stdout) as Record<string, unknown>, stderr };
}

describe("lancedb in a process of its own", () => {
  it("calls a full disk by its name, keeps what was there, and goes on when there is room", async () => {
    // In blocks of 512 or 1,024 bytes: less than the 2 MB that the second write needs in one file.
    const { answer, stderr } = await runChild("fill", "ulimit -f 600");
    expect(answer).toMatchObject({
      fault: {
        code: "sink.full",
        retry: "never",
        scope: "component",
        ambiguous: true,
        message: expect.stringContaining("Make room and run again"),
      },
      failedAfter: 0,
      count: 2,
    });
    expect(stderr).toBe("");
  });

  it("prints nothing of the driver's own log, also when the driver warns", async () => {
    const quiet = await runChild("quarrel");
    expect(quiet.stderr).toBe("");
    expect(quiet.answer["lost"]).toBeGreaterThan(0);
    const loud = await runChild("quarrel", ":", { LANCEDB_LOG: "warn" });
    expect(loud.stderr).toContain("WARN");
  });
});
