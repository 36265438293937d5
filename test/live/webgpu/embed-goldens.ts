import { type Device, Runtime } from "../../../connectors/embedders/qwen3/runtime/index.ts";
import {
  goldens,
  noAbort,
  optionsOf,
  rows,
  type Tolerance,
  tinyModel,
  wrongOnes,
} from "../../connectors/embedders/qwen3/runtime/tiny-model.ts";

// Opens the model on a device, computes some golden texts, and prints what became of it.
const [, , name = "model", device = "webgpu", kind = "fp32_webgpu"] = process.argv;
const tolerance = (goldens.tolerance as Readonly<Record<string, Tolerance>>)[kind]!;
/** Every new length costs this GPU seconds. */
const lengths = [2, 17, 46];
const chosen = lengths.map((length) => rows.findIndex((row) => row.length === length));
const selfTest = chosen.slice(1).map((index) => rows[index]!);
const options = { ...optionsOf(tinyModel(name), device as Device), selfTest };

async function attempt(): Promise<unknown> {
  const runtime = await Runtime.open(options, noAbort);
  const second = await Runtime.open(options, noAbort).then(
    async (other) => {
      await other.close();
      return other.devices;
    },
    (error: Error) => error.message,
  );
  const vectors = await runtime.run(
    chosen.map((index) => rows[index]!),
    noAbort,
  );
  await runtime.close();
  const expected = chosen.map((index) => goldens.items[index]!);
  return {
    devices: runtime.devices,
    notes: runtime.notes(),
    wrong: wrongOnes(vectors, tolerance, expected),
    second,
    measures: runtime.measures(),
  };
}

function told(error: Error & { readonly code?: string }): unknown {
  return { code: error.code, message: error.message };
}

console.log(JSON.stringify(await attempt().catch(told)));
