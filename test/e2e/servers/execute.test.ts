import { expect, test } from "vitest";
import { execute } from "../../../scripts/servers/execute.ts";
import { isAlive } from "./support/tiny-kind.ts";

const timeoutMs = 30_000;

test("a program's output is returned", async () => {
  expect(
    await execute("sh", ["-c", "echo $WORD"], { timeoutMs, environment: { WORD: "hi" } }),
  ).toBe("hi\n");
});

test("a program that fails is an error that names it and ends with what it said last", async () => {
  const run = execute("sh", ["-c", "echo out; echo wrong >&2; exit 4"], { timeoutMs });
  await expect(run).rejects.toThrow(/`sh -c .*` ended with 4:\nout\n\nwrong$/);
});

test("a program that is not there is an error that says what to do", async () => {
  const missing = "Install it.";
  await expect(execute("no-such-program", [], { timeoutMs, missing })).rejects.toThrow(missing);
  await expect(execute("no-such-program", [], { timeoutMs })).rejects.toThrow("no program");
});

test("a program that takes too long is ended with all that it started", async () => {
  // Both hold the pipe, so that this comes to an end only when both have.
  const script = "sleep 600 & echo $! $$; wait";
  const run = execute("sh", ["-c", script], { timeoutMs: 500 });
  const error = await run.catch((reason: unknown) => reason);
  expect(error).toMatchObject({ message: expect.stringContaining("was not over after 0.5 s") });
  const processes = /(\d+) (\d+)$/.exec(String(error))?.slice(1).map(Number) ?? [];
  expect(processes).toHaveLength(2);
  for (const id of processes) await expect.poll(() => isAlive(id)).toBe(false);
});
