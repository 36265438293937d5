import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import {
  formatProblem,
  readPipeline,
  type ReadOptions,
  type ReadOutcome,
} from "../../../src/config/index.ts";
import { fixtureCatalog } from "./fixture-catalog.ts";

/** A folder that goes with its test. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "sluice-config-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Writes texts as layered files and reads them as a pipeline. */
export async function readTexts(
  texts: readonly (string | Uint8Array)[],
  options: Partial<ReadOptions> = {},
): Promise<ReadOutcome & { readonly told: string[]; readonly warned: string[]; folder: string }> {
  const folder = await temporaryFolder();
  const files = texts.map((_, index) => join(folder, index === 0 ? "p.yaml" : `p${index}.yaml`));
  await Promise.all(files.map((file, index) => writeFile(file, texts[index] ?? "")));
  const outcome = await readPipeline(files as [string, ...string[]], {
    catalog: fixtureCatalog(),
    environment: {},
    ...options,
  });
  const short = (text: string): string => text.replaceAll(`${folder}/`, "");
  return {
    ...outcome,
    folder,
    told: outcome.problems.map((problem) => short(formatProblem(problem))),
    warned: outcome.warnings.map((problem) => short(formatProblem(problem))),
  };
}

export function readText(text: string, options: Partial<ReadOptions> = {}) {
  return readTexts([text], options);
}
