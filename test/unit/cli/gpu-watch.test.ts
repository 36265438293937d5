import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { expect, it, onTestFinished } from "vitest";
import { GpuWatch, gpusOf, isHere } from "../../../src/cli/gpu-watch.ts";

/** A program that answers as NVIDIA's tool, and notes each of its calls. */
async function tool(script: string): Promise<{ command: string; calls: () => Promise<string[]> }> {
  const folder = await mkdtemp(join(tmpdir(), "sluice-gpu-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const command = join(folder, "nvidia-smi");
  const log = join(folder, "calls");
  await writeFile(command, `#!/bin/sh\necho "$$ $*" >> ${log}\n${script}\n`);
  await chmod(command, 0o755);
  await writeFile(log, "");
  const calls = async (): Promise<string[]> =>
    (await readFile(log, "utf8")).split("\n").filter((line) => line !== "");
  return { command, calls };
}

function watch(command: string): GpuWatch {
  const gpus = new GpuWatch({ command, pauseMs: 1 });
  onTestFinished(() => gpus.stop());
  return gpus;
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await wait(2);
}

/** Resolves when another watch has looked a few times: one that has not stopped would have, too. */
async function othersLook(): Promise<void> {
  const { command, calls } = await tool(`echo "${busy}"`);
  watch(command).start();
  await until(async () => (await calls()).length > 4);
}

const busy = "0, NVIDIA H200, 1024, 143771, 97";

it("tells memory and use of each GPU, and leaves out what the tool does not tell", () => {
  expect(gpusOf(`${busy}\n1, NVIDIA A, B 2, 0, 40960, [N/A]\n2, Odd, [N/A], [N/A], 3\n`)).toEqual([
    {
      gpu: "0",
      name: "NVIDIA H200",
      memoryUsedBytes: 2 ** 30,
      memoryTotalBytes: 143_771 * 2 ** 20,
      utilization: 0.97,
    },
    {
      gpu: "1",
      name: "NVIDIA A, B 2",
      memoryUsedBytes: 0,
      memoryTotalBytes: 40 * 2 ** 30,
      utilization: undefined,
    },
  ]);
  expect(gpusOf("")).toEqual([]);
  expect(gpusOf("No devices were found\n, , , , \nx, a, 1, 2, 3")).toEqual([]);
});

it("looks again and again until it is stopped, and never twice at once", async () => {
  const { command, calls } = await tool(`echo "${busy}"`);
  const gpus = watch(command);
  expect(gpus.read()).toEqual([]);
  gpus.start();
  gpus.start();
  await until(async () => (await calls()).length > 3);
  expect(gpus.read()).toMatchObject([{ gpu: "0", utilization: 0.97 }]);
  expect((await calls())[0]).toMatch(/--query-gpu=index,name,memory.used/);
  gpus.stop();
  const told = gpus.read();
  // Whatever was under way was ended with it.
  await until(async () => (await calls()).every((line) => !isRunning(Number(line.split(" ")[0]))));
  const after = (await calls()).length;
  await othersLook();
  expect(await calls()).toHaveLength(after);
  expect(gpus.read()).toBe(told);
});

it("gives up where the tool is missing, or sees nothing three times in a row", async () => {
  const missing = watch(join(tmpdir(), "no-such-tool", "nvidia-smi"));
  missing.start();
  const { command, calls } = await tool("echo 'No devices were found'; exit 6");
  const blind = watch(command);
  blind.start();
  await until(async () => (await calls()).length === 3);
  await othersLook();
  expect(await calls()).toHaveLength(3);
  expect([missing.read(), blind.read()]).toEqual([[], []]);
});

it("knows a GPU of this machine by its place: a device, or a server here", () => {
  const here = [
    "cuda:0",
    "webgpu",
    "http://127.0.0.1:30000/v1",
    "http://localhost/v1",
    "http://[::1]:8/",
  ];
  expect(here.filter((place) => !isHere(place))).toEqual([]);
  expect(["cpu", "https://api.example.com/v1", "http://10.0.0.7/v1"].filter(isHere)).toEqual([]);
});

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
