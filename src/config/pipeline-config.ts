import type { Connector, ConnectorKind, FieldType, JsonObject } from "../contracts/index.ts";
import type { PipelineValue } from "./pipeline-schema.ts";

/** A pipeline file, checked, with its defaults applied; no component is made yet. */
export interface PipelineConfig {
  readonly name: string;
  readonly previously?: string;
  /** The first file, absolute. */
  readonly file: string;
  /** Its folder, against which relative paths resolve. */
  readonly folder: string;
  readonly fields: Readonly<Record<string, FieldType>>;
  readonly sources: ReadonlyMap<string, SourceConfig>;
  readonly embedder: ComponentConfig<"embedder">;
  readonly sinks: ReadonlyMap<string, SinkConfig>;
  readonly state: StateConfig;
  readonly cache: CacheConfig;
  readonly deletions: PipelineValue["deletions"];
  readonly reprocess: PipelineValue["reprocess"];
  readonly failures: PipelineValue["failures"];
  readonly limits: PipelineValue["limits"];
  readonly retry: PipelineValue["retry"];
  readonly positions: boolean;
}

export interface SourceConfig {
  readonly previously?: string;
  readonly component: ComponentConfig<"source">;
  readonly metadata: JsonObject;
  /** Those that the file names first, then all others of the catalog. */
  readonly parsers: readonly ComponentConfig<"parser">[];
  readonly chunker: ComponentConfig<"chunker">;
}

export interface SinkConfig {
  readonly previously?: string;
  readonly component: ComponentConfig<"sink">;
  readonly dimension: "auto" | number;
}

export interface ComponentConfig<Kind extends ConnectorKind = ConnectorKind> {
  /** The name in the file; the type, where there is none. */
  readonly name: string;
  readonly kind: Kind;
  readonly type: string;
  /** Undefined for a connector of another package or file that was not loaded. */
  readonly connector: Connector<Kind> | undefined;
  /** What `create` gets; undefined when the connector was not loaded. */
  readonly config: unknown;
  /** The configuration without secrets and operational fields: what shapes the output. */
  readonly shaping: unknown;
}

export type StateConfig =
  | {
      readonly type: "sqlite";
      readonly path: string;
      /** The default path under the pipeline's former name. */
      readonly formerPath?: string;
    }
  | { readonly type: "memory" };

export type CacheConfig =
  | {
      readonly type: "sqlite";
      readonly path: string;
      readonly maxMb: number;
      readonly storage: CacheStorage;
    }
  | {
      readonly type: "redis";
      readonly url: string;
      readonly username?: string;
      readonly password?: string;
      readonly prefix: string;
      readonly ttlDays: number;
      readonly timeoutMs: number;
      readonly storage: CacheStorage;
    }
  | { readonly type: "none" };

type CacheStorage = "float32" | "float16";
