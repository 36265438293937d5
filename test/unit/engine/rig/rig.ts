import { memoryCache } from "../../../../src/cache/index.ts";
import type {
  DocumentRow,
  EmbeddingCache,
  FieldType,
  JsonObject,
  Parser,
  StateSession,
  StateStore,
} from "../../../../src/contracts/index.ts";
import type { RunOptions } from "../../../../src/engine/context.ts";
import type { RunEvent } from "../../../../src/engine/events.ts";
import {
  defaultPolicy,
  type Pipeline,
  type PipelineParser,
  type Policy,
} from "../../../../src/engine/pipeline.ts";
import { run, type RunResult } from "../../../../src/engine/run.ts";
import { memoryStateStore } from "../../../../src/state/index.ts";
import { RigSink } from "./sink.ts";
import { RigSource } from "./source.ts";
import { lineChunker, lineParser, RigEmbedder } from "./stages.ts";
import { VirtualClock } from "./virtual-clock.ts";

export type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };
type PolicyParts = { readonly [Key in keyof Policy]?: Partial<Policy[Key]> };

/** Sources of a pipeline with their settings. */
export interface RigSourceSettings {
  readonly source: RigSource;
  previously?: string;
  metadata?: JsonObject;
  chunkerRecipe?: string;
  /** The bound that the chunker says it keeps. */
  maxTokens?: number;
  parser?: Parser;
  parserRecipe?: string;
  /** Adds a parser for a media type that no document has. */
  unusedParserRecipe?: string;
}

/** A pipeline of real parts in memory: what a test changes between runs is a field. */
export class Rig {
  name = "rig";
  previously: string | undefined;
  file: string | undefined;
  readonly source: RigSource;
  readonly sources = new Map<string, RigSourceSettings>();
  readonly embedder = new RigEmbedder();
  readonly sink: RigSink;
  readonly sinks = new Map<string, RigSink>();
  state: StateStore = memoryStateStore();
  cache: EmbeddingCache | undefined = memoryCache();
  fields: Record<string, FieldType> = {};
  policy: Policy = {
    ...defaultPolicy,
    retry: { attempts: 3, baseMs: 10, maxMs: 100, totalMs: 10_000 },
  };
  readonly clock = new VirtualClock();
  /** Events of the last run. */
  events: RunEvent[] = [];

  constructor(options: { readonly cursors?: boolean; readonly sinks?: readonly string[] } = {}) {
    const { sinks = ["main"], ...rest } = options;
    this.source = new RigSource(rest);
    this.sources.set("docs", { source: this.source });
    for (const name of sinks) this.sinks.set(name, new RigSink(name));
    this.sink = this.sinkOf(sinks[0] ?? "");
  }

  sinkOf(name: string): RigSink {
    const sink = this.sinks.get(name);
    if (sink === undefined) throw new RangeError(`There is no sink ${name}.`);
    return sink;
  }

  /** Changes parts of the policy. */
  set(parts: PolicyParts): void {
    const merged: Record<string, unknown> = { ...this.policy };
    for (const [key, part] of Object.entries(parts)) {
      const before = merged[key];
      merged[key] = typeof part === "object" ? { ...(before as object), ...part } : part;
    }
    this.policy = merged as unknown as Policy;
  }

  get pipeline(): Pipeline {
    const sources = [...this.sources].map(([name, settings]) => {
      const { source, previously, metadata = {}, chunkerRecipe = "lines" } = settings;
      const parser = settings.parser ?? lineParser();
      const recipe = settings.parserRecipe ?? "lines";
      return [
        name,
        {
          name,
          ...(previously === undefined ? {} : { previously }),
          source,
          metadata,
          parsers: [{ type: "lines", parser, recipe }, ...unusedParsers(settings)],
          chunker: lineChunker(settings.maxTokens),
          chunkerRecipe,
        },
      ] as const;
    });
    const sinks = [...this.sinks.values()].map((sink) => {
      return [sink.name, { name: sink.name, sink, dimension: sink.dimension }] as const;
    });
    return {
      name: this.name,
      ...(this.previously === undefined ? {} : { previously: this.previously }),
      ...(this.file === undefined ? {} : { file: this.file }),
      sources: new Map(sources),
      embedder: this.embedder,
      sinks: new Map(sinks),
      state: this.state,
      cache: this.cache,
      fields: this.fields,
      policy: this.policy,
    };
  }

  async run(options: RunOptions = {}): Promise<RunResult> {
    this.events = [];
    return run(this.pipeline, {
      clock: this.clock,
      random: () => 0.5,
      ...options,
      observe: (event) => {
        this.events.push(event);
        options.observe?.(event);
      },
    });
  }

  /** Forgets what was counted so far, so that a test sees only the next run. */
  forgetCounts(): void {
    for (const { source } of this.sources.values()) {
      source.opens.length = 0;
      source.lookups.length = 0;
    }
    this.embedder.texts.length = 0;
    this.embedder.calls.length = 0;
    for (const sink of this.sinks.values()) {
      sink.writes.length = 0;
      sink.reads.length = 0;
      sink.markers = 0;
    }
  }

  /** Reads the state. */
  async reading<T>(use: (session: StateSession) => Promise<T>): Promise<T> {
    const signal = new AbortController().signal;
    const session = await this.state.open({ pipeline: this.name, mode: "read" }, signal);
    if (session === undefined) throw new Error("There is no state.");
    try {
      return await use(session);
    } finally {
      await session.close();
    }
  }

  async row(id: string, source = "docs"): Promise<DocumentRow | undefined> {
    const [row] = await this.reading((session) => session.lookup([{ source, id }]));
    return row;
  }

  /** A pipeline over the same documents with nothing behind it: what a fresh run would make. */
  fresh(): Rig {
    const rig = new Rig({ sinks: [...this.sinks.keys()] });
    rig.name = this.name;
    rig.fields = this.fields;
    rig.policy = this.policy;
    rig.embedder.weights = this.embedder.weights;
    rig.embedder.model = this.embedder.model;
    rig.sources.clear();
    for (const [name, { previously: _, ...settings }] of this.sources) {
      rig.sources.set(name, settings);
    }
    for (const [name, sink] of this.sinks) {
      const live = sink.records[0]?.vector.length;
      rig.sinkOf(name).dimension = live ?? sink.dimension;
      rig.sinkOf(name).shapeSuffix = sink.shapeSuffix;
    }
    return rig;
  }

  /** What every sink holds, besides what a fresh run makes; and what it lacks. Empty when equal. */
  async difference(): Promise<string[]> {
    const fresh = this.fresh();
    const opens = [...this.source.opens];
    await fresh.run();
    this.source.opens.splice(0, Infinity, ...opens);
    const found: string[] = [];
    for (const [name, sink] of this.sinks) {
      const here = new Map(sink.records.map((record) => [record.id, JSON.stringify(record)]));
      const there = fresh.sinkOf(name).records;
      for (const record of there) {
        const held = here.get(record.id);
        if (held === undefined) found.push(`${name} lacks ${record.document} ${record.text}`);
        else if (held !== JSON.stringify(record)) {
          found.push(`${name} holds another ${record.document} ${record.text}`);
        }
        here.delete(record.id);
      }
      for (const record of here.values()) found.push(`${name} holds besides: ${record}`);
    }
    return found;
  }
}

function unusedParsers({ unusedParserRecipe }: RigSourceSettings): PipelineParser[] {
  if (unusedParserRecipe === undefined) return [];
  const parser = { ...lineParser(), mediaTypes: ["application/unused"] };
  return [{ type: "unused", parser, recipe: unusedParserRecipe }];
}
