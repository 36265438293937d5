import { stat } from "node:fs/promises";
import type { StateSession } from "../contracts/index.ts";
import { Fault } from "../faults/index.ts";
import type { Pipeline } from "./pipeline.ts";

const valueKey = "pipeline-file";

/**
 * Why a state is not this file's: it belongs to another file of the same name. Each would take the other's documents
 * for deleted. The state remembers the file it belongs to, and its own address: a folder that was copied or moved as a
 * whole is another matter.
 */
export async function pipelineFileRefusal(
  { file, name, state }: Pipeline,
  session: StateSession,
): Promise<Fault | undefined> {
  if (file === undefined) return undefined;
  const [known, address] = await owner(session);
  if (known === file || address !== state.address) return undefined;
  if (typeof known !== "string" || !(await areTwoFiles(known, file))) return undefined;
  return new Fault(
    "refused.pipeline",
    `The state ${address} belongs to the pipeline \`${name}\` of ${known}, but this is ${file} ` +
      "with the same name. Nothing was changed. Give one of them another name or another `state.path`.",
  );
}

/** Makes a state this file's, or rejects with `refused.pipeline`. */
export async function claimState(pipeline: Pipeline, session: StateSession): Promise<void> {
  const { file, state } = pipeline;
  if (file === undefined) return;
  const refusal = await pipelineFileRefusal(pipeline, session);
  if (refusal !== undefined) throw refusal;
  const [known, address] = await owner(session);
  if (known === file && address === state.address) return;
  await session.commit([{ kind: "value", key: valueKey, value: [file, state.address] }]);
}

async function owner(session: StateSession): Promise<readonly unknown[]> {
  const known = await session.value(valueKey);
  return Array.isArray(known) ? known : [];
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
