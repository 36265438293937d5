import { parseEnv } from "node:util";
import type { Environment } from "./expand-text.ts";
import type { Problem } from "./problem.ts";
import { readText } from "./read-text.ts";

/** The environment with files of variables beneath it: later files win over earlier ones, the environment over all. */
export async function readEnvironment(
  environment: Environment,
  files: readonly string[],
): Promise<{ readonly environment: Environment; readonly problems: readonly Problem[] }> {
  const outcomes = await Promise.all(files.map((file) => readText(file)));
  const problems = outcomes.flatMap((outcome) => ("problem" in outcome ? [outcome.problem] : []));
  const layers = outcomes.map((outcome) => ("text" in outcome ? parseEnv(outcome.text) : {}));
  return { environment: Object.assign({}, ...layers, environment) as Environment, problems };
}
