import type { z } from "zod";
import type { Chunker } from "./chunk.ts";
import type { FieldType } from "./chunk.ts";
import type { Clock } from "./clock.ts";
import type { Embedder } from "./embedder.ts";
import type { Sink } from "./sink.ts";
import type { Parser, Source } from "./stages.ts";

/** The component that each kind of connector makes. */
export interface ComponentOf {
  readonly source: Source;
  readonly parser: Parser;
  readonly chunker: Chunker;
  readonly embedder: Embedder;
  readonly sink: Sink;
}

export type ConnectorKind = keyof ComponentOf;

/** What a connector's `create` may know besides its configuration. */
export interface ConnectorContext {
  /** The component's name in the file (`sources.docs` gives `docs`). */
  readonly name: string;
  /** The pipeline's name. */
  readonly pipeline: string;
  /** The folder of the pipeline file, absolute; relative paths resolve against it. */
  readonly folder: string;
  readonly clock: Clock;
  /** Declared metadata fields, for sinks. */
  readonly fields: Readonly<Record<string, FieldType>>;
}

/**
 * One declaration per connector: from it come parsing, messages, the reference page, the JSON Schema, redaction and
 * conformance tests.
 */
export interface Connector<Kind extends ConnectorKind = ConnectorKind, Config = unknown> {
  readonly kind: Kind;
  /** The value of `type` in the file; kebab-case. */
  readonly type: string;
  /** Changes when equal configuration and input give another output; part of the recipe. */
  readonly revision: number;
  /** One sentence for the reference. */
  readonly summary: string;
  readonly stability: "stable" | "beta" | "experimental";
  /**
   * A strict zod object without `type`. Every field has a description. Secret fields are made with `secret()`.
   * Fields that do not change what is made of a document (timeouts, concurrency) carry `.meta({ operational: true })`
   * and stay out of the recipe.
   */
  readonly config: z.ZodType<Config>;
  /** Valid configurations with a title; the first is the simplest. They are parsed in a test. */
  readonly examples: readonly { readonly title: string; readonly config: unknown }[];
  /** npm packages that are loaded only when the connector is used. */
  readonly packages: readonly string[];
  /** Makes the component; touches neither network nor disk (that is for `check`, `open` and the work itself). */
  create(config: Config, context: ConnectorContext): ComponentOf[Kind];
}

/** One line of a catalog: a connector whose declaration is loaded only when a file uses it. */
export type CatalogEntry = {
  readonly [Kind in ConnectorKind]: {
    readonly kind: Kind;
    /** Equal to the `type` of the connector that it loads. */
    readonly type: string;
    load(): Promise<Connector<Kind>>;
  };
}[ConnectorKind];

export type Catalog = readonly CatalogEntry[];
