import type { FaultLike } from "../contracts/index.ts";
import { type ExitCode, exitCodeOf, exitCodes } from "../engine/exit-code.ts";
import { openStateToRead } from "../engine/open-state.ts";
import { Fault, isFault } from "../faults/index.ts";
import type { LoadedPipeline } from "../load-pipeline.ts";

/** A component that does not answer is given up after this long. */
const patienceMs = 60_000;

/** What became of one component. */
export interface Check {
  /** As it is called in the file: `sources.docs`. */
  readonly component: string;
  /** What it is, or what was found out about it. */
  readonly about: string;
  readonly durationMs: number;
  readonly fault?: FaultLike;
  readonly exitCode: ExitCode;
}

/** Checks every component on its real path, all of them even when some fail. */
export async function checkPipeline(
  pipeline: LoadedPipeline,
  signal: AbortSignal,
): Promise<readonly Check[]> {
  const { embedder, state, cache, config } = pipeline;
  const checks: Check[] = [
    await check("state", signal, async (bounded) => {
      const session = await openStateToRead(pipeline, bounded);
      await session?.close();
      return session === undefined ? `${state.address} (new)` : state.address;
    }),
  ];
  if (cache !== undefined) {
    const stats = await check("cache", signal, async () => {
      await cache.stats();
      return config.cache.type === "none" ? "" : config.cache.path;
    });
    checks.push(stats);
  }
  for (const [name, { source }] of pipeline.sources) {
    const listed = await check(`sources.${name}`, signal, async (bounded) => {
      await source.check(bounded);
      return source.identity;
    });
    checks.push(listed);
  }
  const embedding = await check("embedder", signal, async (bounded) => {
    const { id, dimensions } = await embedder.open(bounded);
    await embedder.check(bounded);
    return `${id}, dimension ${dimensions.native}`;
  });
  checks.push(embedding);
  for (const [name, { sink }] of pipeline.sinks) {
    const reached = await check(`sinks.${name}`, signal, async (bounded) => {
      await sink.check(bounded);
      return sink.address;
    });
    checks.push(reached);
  }
  return checks;
}

async function check(
  component: string,
  signal: AbortSignal,
  look: (bounded: AbortSignal) => Promise<string>,
): Promise<Check> {
  const started = performance.now();
  const durationMs = (): number => Math.round(performance.now() - started);
  const timeout = AbortSignal.timeout(patienceMs);
  try {
    const about = await look(AbortSignal.any([signal, timeout]));
    return { component, about, durationMs: durationMs(), exitCode: exitCodes.done };
  } catch (error) {
    const fault = timeout.aborted ? silent(component) : error;
    if (!isFault(fault)) throw error;
    return { component, about: "", durationMs: durationMs(), fault, exitCode: exitCodeOf(fault) };
  }
}

function silent(component: string): Fault {
  const code = component.startsWith("sinks.")
    ? "sink.timeout"
    : component === "embedder"
      ? "embed.timeout"
      : "source.unreachable";
  return new Fault(code, `\`${component}\` did not answer within ${patienceMs / 1000} s.`);
}
