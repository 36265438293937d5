import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, test } from "vitest";

/** Debian's `chromium` brings a Vulkan driver that computes on the CPU, and the loader that finds it. */
const folder = "/usr/lib/chromium";
const driver = `${folder}/vk_swiftshader_icd.json`;

/**
 * Tests that need a GPU that everyone has. Where Chromium is not installed they are skipped with the reason in their name;
 * with `REQUIRE_LIVE=1` they fail.
 */
export function describeWebgpu(tests: () => void): void {
  const reason = `there is no \`${driver}\`: run \`apt-get install --no-install-recommends chromium\``;
  if (existsSync(driver)) describe("on WebGPU in software,", tests);
  else if (process.env["REQUIRE_LIVE"] === "1") {
    test("WebGPU in software is there", () => {
      throw new Error(`\`REQUIRE_LIVE=1\` wants WebGPU, but ${reason}`);
    });
  } else test.skipIf(true)(`tests on WebGPU in software: ${reason}`, () => {});
}

/** Runs a program of this folder in a process of its own: the loader is found when a process starts. Gives what it printed. */
export async function runOnWebgpu(program: string, ...args: readonly string[]): Promise<unknown> {
  const path = fileURLToPath(new URL(program, import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [path, ...args], {
    timeout: 280_000,
    env: {
      ...process.env,
      VK_ICD_FILENAMES: driver,
      VK_DRIVER_FILES: driver,
      LD_LIBRARY_PATH: folder,
    },
  });
  return JSON.parse(stdout);
}
