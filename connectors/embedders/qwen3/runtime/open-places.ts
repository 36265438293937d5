import type { ComponentNote } from "../../../../src/contracts/index.ts";
import { Fault } from "../../../../src/faults/index.ts";
import { CpuReference } from "./cpu-reference.ts";
import { absence, candidates, idsOf, isNumbered, nameOf } from "./devices.ts";
import type { DeviceKind, RuntimeOptions } from "./options.ts";
import { Place, type PlaceOptions } from "./place.ts";
import {
  checkAgainstCpu,
  checkPadding,
  checkSelfTest,
  checkSpeed,
  timeTogether,
} from "./self-test.ts";
import { WebgpuPermit } from "./webgpu-permit.ts";

export interface OpenedPlaces {
  readonly places: readonly Place[];
  readonly notes: readonly ComponentNote[];
  /** Gives back what the places hold of the process; called after they are closed, if nothing of them still runs. */
  readonly release: () => void;
}

/** Finds the first device that runs the model and computes what the CPU computes. */
export async function openPlaces(
  options: RuntimeOptions,
  workerFile: URL,
  signal: AbortSignal,
): Promise<OpenedPlaces> {
  checkSelfTest(options.selfTest);
  const cpu = new CpuReference(placeOptions(options, "cpu", 0, workerFile), options.selfTest);
  const refused: Fault[] = [];
  try {
    for (const kind of candidates(options.device)) {
      try {
        const opened = await openKind(kind, options, workerFile, cpu, signal);
        return { ...opened, notes: [...opened.notes, ...refused.map(noteOf)] };
      } catch (error) {
        signal.throwIfAborted();
        if (options.device !== "auto" || !isNextTried(error, kind)) throw error;
        refused.push(error);
      }
    }
  } finally {
    const closing = cpu.close();
    if (!signal.aborted) await closing;
  }
  const reasons = refused.map(({ message }) => message).join(" ");
  throw new Fault("embed.device", `No device can run the model. ${reasons}`);
}

/** The library's words for a file that a GPU cannot load and for one that is damaged are alike: the CPU tells which it is. */
function isNextTried(error: unknown, kind: DeviceKind): error is Fault {
  if (!(error instanceof Fault)) return false;
  return error.code === "embed.device" || (error.code === "embed.model" && kind !== "cpu");
}

async function openKind(
  kind: DeviceKind,
  options: RuntimeOptions,
  workerFile: URL,
  cpu: CpuReference,
  signal: AbortSignal,
): Promise<OpenedPlaces> {
  const ids = idsOf(kind, options.device, options.deviceIds);
  const missing = options.device === "auto" ? absence(kind) : undefined;
  if (missing !== undefined) throw new Fault("embed.device", missing);
  const permit = kind === "webgpu" ? WebgpuPermit.take() : undefined;
  const release = (): void => permit?.give();
  const places: Place[] = [];
  const endings: Promise<boolean>[] = [];
  const abandon = (ending: Promise<boolean>): void => void endings.push(ending);
  const notes: ComponentNote[] = [];
  try {
    for (const id of ids) {
      const place =
        kind === "cpu"
          ? await cpu.take(signal)
          : await Place.open({ ...placeOptions(options, kind, id, workerFile), abandon }, signal);
      places.push(place);
      notes.push({ level: "info", message: `The model runs on \`${place.name}\`.` });
      if (options.deviceIds.length > 0 && !isNumbered(kind)) {
        notes.push({ level: "info", message: `\`device_ids\` has no effect on \`${kind}\`.` });
      }
      notes.push(...(await testPlace(place, kind, options, cpu, signal)));
    }
    for (const place of places) place.beginCounting();
    return { places, notes, release };
  } catch (error) {
    const ends = [...places.map((place) => place.close()), ...endings];
    const closing = Promise.all(ends).then((gone) => {
      if (!gone.includes(false)) release();
    });
    // A run cannot be broken off, and whoever stops need not wait for it.
    if (!signal.aborted) await closing;
    throw asDeviceFault(error, kind);
  }
}

/** Refuses a device whose answers differ; what could not be compared is said. */
async function testPlace(
  place: Place,
  kind: DeviceKind,
  { selfTest, model, device, clock }: RuntimeOptions,
  cpu: CpuReference,
  signal: AbortSignal,
): Promise<readonly ComponentNote[]> {
  const found = await checkPadding(place, selfTest, model, signal);
  if (kind === "cpu") return [];
  let expected;
  try {
    expected = await cpu.vectors(signal);
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof Fault)) throw error;
    const message = `What \`${place.name}\` computes was not compared with the CPU, which cannot run the model. ${error.message}`;
    return [{ level: "warning", message }];
  }
  checkAgainstCpu(place, selfTest, found, expected);
  if (device === "auto") {
    const milliseconds = await timeTogether(place, selfTest, clock, signal);
    checkSpeed(place, milliseconds, await cpu.milliseconds(clock, signal));
  }
  return [];
}

function placeOptions(
  { model, threads }: RuntimeOptions,
  kind: DeviceKind,
  deviceId: number,
  workerFile: URL,
): PlaceOptions {
  const common = { kind, deviceId, name: nameOf(kind, deviceId), model, workerFile };
  return kind === "cpu" && threads !== undefined ? { ...common, threads } : common;
}

/** A device that fails at the texts of the self-test is at fault, not the texts. */
function asDeviceFault(error: unknown, kind: DeviceKind): unknown {
  if (!(error instanceof Fault)) return error;
  if (error.scope !== "document" && error.code !== "embed.crashed") return error;
  const message = `\`${kind}\` cannot run the model. ${error.message}`;
  return new Fault("embed.device", message, { cause: error });
}

/** What is not there is told; a device that is there and wrong wants somebody to act. */
function noteOf({ message }: Fault): ComponentNote {
  const isWrong = /computes another vector|respect padding/.test(message);
  return { level: isWrong ? "warning" : "info", message };
}
