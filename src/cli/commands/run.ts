import { Command } from "commander";
import type { ExitCode, RunEvent, RunOptions, RunSummary } from "../../engine/index.ts";
import type { LoadedPipeline } from "../../load-pipeline.ts";
import { boundedDeletions } from "../bounded-flags.ts";
import { action, repeatable, usageFault, wholeNumber } from "../command.ts";
import { eventJson } from "../event-json.ts";
import { eventLog } from "../event-log.ts";
import type { RunMetrics } from "../metrics/run-metrics.ts";
import { type MetricsOptions, withMetrics } from "../metrics/with-metrics.ts";
import {
  commandLine,
  pipelineFiles,
  type PipelineOptions,
  withPipelineOptions,
} from "../pipeline-options.ts";
import { Progress } from "../progress.ts";
import { RunNarrator } from "../run-narrator.ts";
import { reportRun } from "../run-report.ts";
import type { Shell } from "../shell.ts";
import { usePipelines } from "../use-pipeline.ts";
import { worstOf } from "../worst-of.ts";

interface RunCommandOptions extends PipelineOptions, MetricsOptions {
  readonly watch?: boolean;
  readonly full?: boolean;
  readonly allowDeletions?: boolean;
  readonly allowDeletionsUpTo?: number;
  readonly reprocess?: boolean;
  readonly limit?: number;
  readonly source: readonly string[];
  readonly sink: readonly string[];
}

export function runCommand(shell: Shell): Command {
  const command = new Command("run")
    .description("Make every sink equal to the sources, once or for good.")
    .argument("[files...]", "pipeline files, run one after the other")
    .option("-w, --watch", "keep following the sources until stopped")
    .option("--full", "read every document again, whatever its revision")
    .option(
      "--allow-deletions",
      "let withheld deletions go; `=N`: at most N, of all sources together",
    )
    .addOption(boundedDeletions())
    .option("--reprocess", "embed again what a changed recipe asks for")
    .option("--limit <count>", "take this many documents at most; deletes nothing", wholeNumber(1))
    .option(
      "--metrics-port <port>",
      "serve the run's measures at /metrics, as Prometheus reads them; 0: any free port",
      wholeNumber(0, 65_535),
    )
    .option("--metrics-host <host>", "where to listen for that; 127.0.0.1 when left out")
    .addOption(repeatable("--source <name>", "only this source; repeatable"))
    .addOption(repeatable("--sink <name>", "only this sink; repeatable"));
  return withPipelineOptions(command).action(
    action(shell, (files, options: RunCommandOptions) => act(shell, files, options)),
  );
}

/** A pipeline with the file that the user named, for advice. */
interface Named {
  readonly file: string | undefined;
  readonly pipeline: LoadedPipeline;
}

async function act(
  shell: Shell,
  files: readonly string[],
  options: RunCommandOptions,
): Promise<ExitCode> {
  const follow = options.watch === true;
  const { terminal } = shell;
  terminal.lines = follow;
  if (follow && files.length > 1) {
    throw usageFault("`--watch` takes one file; start one `sluice run --watch` for each.");
  }
  if (follow && options.limit !== undefined) {
    throw usageFault("`--watch` and `--limit` exclude each other.");
  }
  if (options.metricsHost !== undefined && options.metricsPort === undefined) {
    throw usageFault("`--metrics-host` wants `--metrics-port` besides.");
  }
  // An empty one, as of a variable that is not set, would listen everywhere.
  if (options.metricsHost?.trim() === "") {
    throw usageFault("`--metrics-host` is empty. Name an address, or leave it out for 127.0.0.1.");
  }
  const given = files.length === 0 ? [undefined] : files;
  const groups = given.map((file) => pipelineFiles(file, options));
  return usePipelines(shell, groups, options, (pipelines) =>
    withMetrics(terminal, options, (metrics) => {
      const named = pipelines.map((pipeline, index) => ({ file: given[index], pipeline }));
      return runAll(shell, named, options, metrics);
    }),
  );
}

async function runAll(
  shell: Shell,
  pipelines: readonly Named[],
  options: RunCommandOptions,
  metrics: RunMetrics | undefined,
): Promise<ExitCode> {
  const { terminal } = shell;
  shell.stop.drain(() => {
    terminal.note("Stopping: finishing what is in flight. Once more gives up at once.", "yellow");
  });
  const summaries: RunSummary[] = [];
  const codes: ExitCode[] = [];
  for (const named of pipelines) {
    if (shell.stop.requested) break;
    const done = await runOne(shell, named, options, metrics);
    summaries.push(done.summary);
    codes.push(done.exitCode);
  }
  if (options.watch !== true) {
    terminal.document(pipelines.length > 1 ? { runs: summaries } : summaries[0]);
  }
  return worstOf(codes);
}

async function runOne(
  shell: Shell,
  { file, pipeline }: Named,
  options: RunCommandOptions,
  metrics: RunMetrics | undefined,
): Promise<{ readonly summary: RunSummary; readonly exitCode: ExitCode }> {
  const { terminal, stop } = shell;
  const follow = options.watch === true;
  const { run } = await import("../../engine/run.ts");
  const { MeteredRun } = await import("../metered-run.ts");
  const log = terminal.verbose ? await eventLog(terminal) : undefined;
  const narrator = log === undefined ? new RunNarrator(terminal, follow) : undefined;
  const given = engineOptions(options);
  const { expectedDocuments } = await import("../expected-documents.ts");
  const expected = await expectedDocuments(pipeline, given, stop.signal);
  const metered = new MeteredRun();
  const { meter } = metered;
  const known = expected === undefined ? {} : { expected };
  const progress = new Progress(terminal, { measure: () => meter.read(), ...known });
  const watched = metrics?.watch(pipeline.name, meter);
  const observe = (event: RunEvent): void => {
    metered.observe(event);
    watched?.observe(event);
    progress.observe(event);
    narrator?.observe(event);
    log?.(event);
    if (follow && terminal.json) {
      terminal.event({ at: new Date().toISOString(), ...eventJson(event) });
    }
  };
  progress.start();
  metered.start();
  try {
    const result = await run(pipeline, {
      ...given,
      stop: stop.stop,
      signal: stop.signal,
      observe,
      meter,
    });
    progress.stop();
    narrator?.finish();
    reportRun(terminal, result.summary, (name, ...more) =>
      commandLine(name, file, options, ...more),
    );
    if (follow && terminal.json) {
      const { summary, exitCode } = result;
      terminal.event({
        at: new Date().toISOString(),
        kind: "run-ended",
        exit_code: exitCode,
        summary,
      });
    }
    return result;
  } finally {
    progress.stop();
    metered.stop();
    watched?.end();
  }
}

function engineOptions(options: RunCommandOptions): RunOptions {
  const { allowDeletions, allowDeletionsUpTo, limit, source, sink } = options;
  const allowed = allowDeletionsUpTo ?? (allowDeletions === true ? Infinity : undefined);
  return {
    full: options.full === true,
    reprocess: options.reprocess === true,
    follow: options.watch === true,
    ...(allowed === undefined ? {} : { allowDeletions: allowed }),
    ...(limit === undefined ? {} : { limit }),
    ...(source.length === 0 ? {} : { sources: source }),
    ...(sink.length === 0 ? {} : { sinks: sink }),
  };
}
