import { stat } from "node:fs/promises";
import { Fault } from "../faults/index.ts";
import type { RunContext } from "./context.ts";

const valueKey = "pipeline-file";

/**
 * Two files of one name and state would take each other's documents for deleted. The state remembers the file it
 * belongs to, and its own address: a folder that was copied or moved as a whole is another matter.
 */
export async function checkPipelineFile(context: RunContext): Promise<void> {
  const { session, pipeline } = context;
  const { file, name } = pipeline;
  if (file === undefined) return;
  const { address } = pipeline.state;
  const known = await session.value(valueKey);
  const [knownFile, knownAddress] = Array.isArray(known) ? known : [];
  if (knownFile === file && knownAddress === address) return;
  if (
    typeof knownFile === "string" &&
    knownAddress === address &&
    (await areTwoFiles(knownFile, file))
  ) {
    throw new Fault(
      "refused.pipeline",
      `The state ${address} belongs to the pipeline \`${name}\` of ${knownFile}, but this is ${file} ` +
        "with the same name. Give one of them another name or another `state.path`.",
    );
  }
  await session.commit([{ kind: "value", key: valueKey, value: [file, address] }]);
}

/** Whether both paths exist and name different files. */
async function areTwoFiles(one: string, other: string): Promise<boolean> {
  try {
    const [a, b] = [await stat(one), await stat(other)];
    return a.dev !== b.dev || a.ino !== b.ino;
  } catch {
    return false;
  }
}
