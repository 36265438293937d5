import { expect, it } from "vitest";
import { withMetrics } from "../../../../src/cli/metrics/with-metrics.ts";
import { Terminal } from "../../../../src/cli/terminal.ts";
import { parsePrometheus } from "../../../support/prometheus-text.ts";

function make() {
  let text = "";
  const stream = { write: (part: string) => ((text += part), true), on: () => undefined };
  const terminal = new Terminal({ stdout: stream, stderr: stream, environment: {} });
  return { terminal, url: (): string => /measures: (\S+)/.exec(text)?.[1] ?? "" };
}

it("has a page while a call lasts, and none after it, however it ends", async () => {
  const { terminal, url } = make();
  const done = await withMetrics(terminal, { metricsPort: 0 }, async (metrics) => {
    expect(metrics).toBeDefined();
    return parsePrometheus(await (await fetch(url())).text()).size;
  });
  expect(done).toBeGreaterThan(30);
  await expect(fetch(url())).rejects.toThrow();
  const other = make();
  const failing = withMetrics(
    other.terminal,
    { metricsPort: 0, metricsHost: "127.0.0.1" },
    async () => {
      expect((await fetch(other.url())).status).toBe(200);
      throw new Error("the call failed");
    },
  );
  await expect(failing).rejects.toThrow("the call failed");
  await expect(fetch(other.url())).rejects.toThrow();
});

it("opens nothing where nobody asks for it", async () => {
  const { terminal, url } = make();
  expect(await withMetrics(terminal, {}, async (metrics) => metrics)).toBeUndefined();
  expect(url()).toBe("");
});
