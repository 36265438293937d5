import type { Component, ComponentNote, FaultLike, StateSession } from "../contracts/index.ts";
import { type ExitCode, exitCodeOf, exitCodes } from "../engine/exit-code.ts";
import { openStateToRead } from "../engine/open-state.ts";
import { pipelineFileRefusal } from "../engine/pipeline-file.ts";
import type { Pipeline, PipelineSink, PipelineSource } from "../engine/pipeline.ts";
import { checkCache, openSpace, type Space } from "../engine/space.ts";
import { refusalFault, type SinkFinding, surveySinks } from "../engine/survey.ts";
import { Fault, isFault } from "../faults/index.ts";
import { raceAbort } from "../flow/index.ts";
import { bytes, countOf } from "./format.ts";

/** A component that does not answer is given up after so long; a model may have to be loaded first, here or on a server. */
interface Patience {
  readonly usualMs: number;
  readonly embedderMs: number;
}

const usualPatience: Patience = { usualMs: 60_000, embedderMs: 300_000 };

/** What became of one component. */
export interface Check {
  /** As it is called in the file: `sources.docs`. */
  readonly component: string;
  /** What it is, or what was found out about it. */
  readonly about: string;
  readonly durationMs: number;
  /** What the component has to say though nothing is wrong. */
  readonly notes: readonly ComponentNote[];
  readonly fault?: FaultLike;
  readonly exitCode: ExitCode;
}

/**
 * Checks every component on its real path, all of them even when some fail, and whether a run would refuse a sink.
 * `patience` is less only in tests.
 */
export async function checkPipeline(
  pipeline: Pipeline,
  signal: AbortSignal,
  patience: Patience = usualPatience,
): Promise<readonly Check[]> {
  const doctor = new Doctor(pipeline, signal, patience);
  try {
    return await doctor.checkAll();
  } finally {
    await doctor.close();
  }
}

class Doctor {
  readonly #pipeline: Pipeline;
  readonly #signal: AbortSignal;
  readonly #patience: Patience;
  #session: StateSession | undefined;
  #space: Space | undefined;

  constructor(pipeline: Pipeline, signal: AbortSignal, patience: Patience) {
    this.#pipeline = pipeline;
    this.#signal = signal;
    this.#patience = patience;
  }

  async checkAll(): Promise<readonly Check[]> {
    const { cache, embedder, sources, sinks } = this.#pipeline;
    const state = await this.#check("state", (bounded) => this.#state(bounded));
    const checks = [state];
    if (cache !== undefined) {
      const look = async (): Promise<string> => {
        const { entries, bytes: size } = await cache.stats();
        return `${countOf(entries, "embedding")}, ${bytes(size)}`;
      };
      checks.push(await this.#check("cache", look, { notes: () => cache.news?.() ?? [] }));
    }
    for (const source of sources.values()) {
      const look = (bounded: AbortSignal): Promise<string> => this.#source(source, bounded);
      checks.push(await this.#check(`sources.${source.name}`, look, source.source));
    }
    checks.push(await this.#check("embedder", (bounded) => this.#embedder(bounded), embedder));
    // Without the state or the model, nothing can be said of what a run would make of a collection.
    const knows = state.fault === undefined;
    const troubles = knows ? await this.#troubles() : new Map<string, FaultLike>();
    for (const sink of sinks.values()) {
      const look = (bounded: AbortSignal): Promise<string> =>
        this.#sink(sink, troubles.get(sink.name), bounded);
      checks.push(await this.#check(`sinks.${sink.name}`, look, sink.sink));
    }
    return checks;
  }

  async close(): Promise<void> {
    await this.#session?.close();
  }

  async #state(signal: AbortSignal): Promise<string> {
    const { address } = this.#pipeline.state;
    this.#session = await openStateToRead(this.#pipeline, signal);
    if (this.#session === undefined) return `${address} (new)`;
    const refusal = await pipelineFileRefusal(this.#pipeline, this.#session);
    if (refusal !== undefined) throw refusal;
    return address;
  }

  async #source({ source }: PipelineSource, signal: AbortSignal): Promise<string> {
    await source.check(signal);
    return source.identity;
  }

  async #embedder(signal: AbortSignal): Promise<string> {
    const { embedder } = this.#pipeline;
    const { id, dimensions } = await embedder.open(signal);
    await embedder.check(signal);
    this.#space = await openSpace(embedder, (request) => request(), signal);
    await checkCache(this.#pipeline, this.#space);
    return `${id}, dimension ${dimensions.native}`;
  }

  async #sink(
    { sink }: PipelineSink,
    trouble: FaultLike | undefined,
    signal: AbortSignal,
  ): Promise<string> {
    await sink.check(signal);
    if (trouble !== undefined) throw trouble;
    return sink.address;
  }

  /** Why a run would refuse sinks or go on without them, by their names; nothing when one of them hangs. */
  async #troubles(): Promise<ReadonlyMap<string, FaultLike>> {
    const space = this.#space;
    if (space === undefined) return new Map();
    const pipeline = this.#pipeline;
    const sinks = [...pipeline.sinks.values()];
    const timeout = AbortSignal.timeout(this.#patience.usualMs);
    const signal = AbortSignal.any([this.#signal, timeout]);
    const call = <T>(_: PipelineSink, request: () => Promise<T>): Promise<T> =>
      raceAbort(request(), signal);
    const session = this.#session;
    try {
      const findings = await surveySinks({ pipeline, sinks, space, session, call, signal });
      return new Map(findings.flatMap(troubleOf));
    } catch (error) {
      if (timeout.aborted) return new Map();
      throw error;
    }
  }

  async #check(
    name: string,
    look: (bounded: AbortSignal) => Promise<string>,
    component?: Pick<Component, "notes">,
  ): Promise<Check> {
    const started = performance.now();
    const durationMs = (): number => Math.round(performance.now() - started);
    const { usualMs, embedderMs } = this.#patience;
    const patienceMs = name === "embedder" ? embedderMs : usualMs;
    const timeout = AbortSignal.timeout(patienceMs);
    try {
      const bounded = AbortSignal.any([this.#signal, timeout]);
      // A component may not heed the signal.
      const about = await raceAbort(look(bounded), bounded);
      const notes = component?.notes?.() ?? [];
      return { component: name, about, notes, durationMs: durationMs(), exitCode: exitCodes.done };
    } catch (error) {
      const fault = timeout.aborted ? silent(name, patienceMs) : error;
      if (!isFault(fault)) throw error;
      const exitCode = exitCodeOf(fault);
      return { component: name, about: "", notes: [], durationMs: durationMs(), fault, exitCode };
    }
  }
}

function troubleOf(found: SinkFinding): (readonly [string, FaultLike])[] {
  if (found.kind === "down") return [[found.sink.name, found.fault]];
  if (found.kind === "usable") return [];
  return [[found.survey.sink.name, refusalFault(found.refusal)]];
}

function silent(component: string, patienceMs: number): Fault {
  const code = component.startsWith("sinks.")
    ? "sink.timeout"
    : component === "embedder"
      ? "embed.timeout"
      : component === "cache"
        ? "cache.unreachable"
        : "source.unreachable";
  return new Fault(
    code,
    `\`${component}\` did not answer within ${patienceMs / 1000} s. Check its address and that it runs.`,
  );
}
