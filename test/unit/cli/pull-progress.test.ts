import { expect, it } from "vitest";
import { PullProgress } from "../../../src/cli/models/pull-progress.ts";
import { Terminal } from "../../../src/cli/terminal.ts";

function output() {
  const written: string[] = [];
  return {
    written,
    write: (text: string) => written.push(text) > 0,
    on: () => undefined,
  };
}

const megabyte = 1024 * 1024;
const files = [
  { path: "config.json", size: megabyte },
  { path: "onnx/model.onnx_data", size: 99 * megabyte },
];

it("tells the share, the rate of the last seconds, and the time that is left", () => {
  const stderr = output();
  const terminal = new Terminal({ stdout: output(), stderr, environment: {} });
  let now = 0;
  const progress = new PullProgress(terminal, () => now);
  progress.checking(80 * megabyte);
  progress.checking(20);
  expect(stderr.written.join("")).toBe("Verifying 80.0 MB that are there.\n");
  progress.chosen({ files, graph: "onnx/model.onnx" }, 20 * megabyte);
  expect(stderr.written.join("")).toContain(
    "2 files, 100 MB, 20.0 MB of them there from earlier, onnx/model.onnx",
  );
  now = 2_000;
  progress.bytes(20 * megabyte);
  expect(progress.describe()).toBe("40.0 MB of 100 MB (40 %), 10.0 MB/s, about 6.0 s left");
  // What had to be thrown away does not make the rate run backwards.
  now = 3_000;
  progress.bytes(-30 * megabyte);
  expect(progress.describe()).toBe("10.0 MB of 100 MB (10 %)");
  progress.stop();
});

it.each(["json", "quiet"] as const)("is silent with --%s, and when nothing is to come", (flag) => {
  const stderr = output();
  const terminal = new Terminal({ stdout: output(), stderr, environment: {} });
  terminal[flag] = true;
  const progress = new PullProgress(terminal);
  progress.checking(100 * megabyte);
  progress.chosen({ files }, 0);
  terminal[flag] = false;
  progress.chosen({ files }, 100 * megabyte);
  progress.stop();
  expect(stderr.written).toEqual([]);
});
