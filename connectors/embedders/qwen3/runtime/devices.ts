import { existsSync, readdirSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { Fault } from "../../../../src/faults/index.ts";
import type { Device, DeviceKind } from "./options.ts";

/** Whether a machine may have several of the kind, of which the library can choose one. */
export function isNumbered(kind: DeviceKind): boolean {
  return kind === "cuda" || kind === "dml";
}

/** What is tried, in this order: a list given to the library would not fall back. */
export function candidates(device: Device): readonly DeviceKind[] {
  if (device !== "auto") return [device];
  const platform: readonly DeviceKind[] =
    process.platform === "darwin" ? ["coreml"] : process.platform === "win32" ? ["dml"] : [];
  const cuda: readonly DeviceKind[] = process.platform === "darwin" ? [] : ["cuda"];
  return [...cuda, ...platform, "webgpu", "cpu"];
}

/** The devices of a kind that are to be used, by number; numbers are for kinds that have several. */
export function idsOf(kind: DeviceKind, device: Device, deviceIds: readonly number[]): number[] {
  const ids = [...new Set(deviceIds)];
  const wrong = ids.find((id) => !Number.isInteger(id) || id < 0);
  if (wrong !== undefined) {
    throw new Fault("embed.device", `\`device_ids\` holds ${wrong}; they are numbers from 0.`);
  }
  if (isNumbered(kind)) return ids.length === 0 ? [0] : ids;
  if (device !== "auto" && ids.length > 0) {
    throw new Fault(
      "embed.device",
      `\`device_ids\` names devices, but of \`${kind}\` only the first can be used. Leave it out.`,
    );
  }
  return [0];
}

/** A device's name for people. */
export function nameOf(kind: DeviceKind, id: number): string {
  return isNumbered(kind) ? `${kind}:${id}` : kind;
}

/**
 * Why a device need not be tried, where that is known without the library, which writes to the standard error stream when
 * it finds no driver.
 */
export function absence(kind: DeviceKind): string | undefined {
  if (kind !== "webgpu" || process.platform !== "linux" || hasVulkanDriver()) return undefined;
  return "`webgpu` cannot be used. No Vulkan driver is installed.";
}

/** Where Vulkan's loader looks for drivers. */
function hasVulkanDriver(): boolean {
  const { env } = process;
  const named = [env["VK_DRIVER_FILES"], env["VK_ICD_FILENAMES"], env["VK_ADD_DRIVER_FILES"]];
  if (named.some((list) => list?.split(":").some((path) => existsSync(path)))) return true;
  const data = env["XDG_DATA_HOME"] || join(homedir(), ".local/share");
  const folders = ["/etc", "/usr/share", "/usr/local/etc", "/usr/local/share", data];
  return folders.some((folder) => holdsManifest(join(folder, "vulkan/icd.d")));
}

function holdsManifest(folder: string): boolean {
  try {
    return readdirSync(folder).some((name) => name.endsWith(".json"));
  } catch {
    return false;
  }
}
