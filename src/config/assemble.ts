import { dirname, join, resolve } from "node:path";
import type { z } from "zod";
import type { ConnectorKind, FieldType, JsonObject } from "../contracts/index.ts";
import { checkComponent, type CheckedComponent, written } from "./check-component.ts";
import { Inspection } from "./inspection.ts";
import type {
  CacheConfig,
  ComponentConfig,
  PipelineConfig,
  SinkConfig,
  SourceConfig,
  StateConfig,
} from "./pipeline-config.ts";
import {
  fieldTypes,
  type PipelineValue,
  type sinkKeys,
  type sourceKeys,
} from "./pipeline-schema.ts";
import { fromValue, type MapNode, type Node, nodeAt, type Path } from "./tree.ts";

/**
 * Checks every component of the tree and puts the configuration together. `value` is undefined when the rest of the
 * file is wrong; the components are then still checked, so that all problems are told at once.
 */
export async function assemble(
  value: PipelineValue | undefined,
  file: string,
  inspection: Inspection,
): Promise<PipelineConfig | undefined> {
  const chunker = await part(
    "chunker",
    "chunker",
    nodeAt(inspection.root, ["chunker"]) ?? fromValue({ type: "structure" }, inspection.root.at),
    ["chunker"],
    inspection,
  );
  const [embedder, sources, sinks] = await Promise.all([
    part("embedder", "embedder", nodeAt(inspection.root, ["embedder"]), ["embedder"], inspection),
    each("sources", inspection, (name, path) =>
      readSource(name, path, chunker?.component, inspection),
    ),
    each("sinks", inspection, (name, path) => readSink(name, path, inspection)),
  ]);
  if (value === undefined || embedder === undefined) return undefined;
  const { name, previously, deletions, reprocess, failures, limits, retry, positions } = value;
  const folder = dirname(file);
  return {
    name,
    ...(previously === undefined ? {} : { previously }),
    file,
    folder,
    fields: declaredFields(value),
    sources,
    embedder: embedder.component,
    sinks,
    state: stateConfig(value, folder),
    cache: cacheConfig(value, folder),
    deletions,
    reprocess,
    failures,
    limits,
    retry,
    positions,
  };
}

async function readSource(
  name: string,
  path: Path,
  pipelineChunker: ComponentConfig<"chunker"> | undefined,
  inspection: Inspection,
): Promise<SourceConfig | undefined> {
  const node = nodeAt(inspection.root, path);
  const own = nodeAt(inspection.root, [...path, "chunker"]);
  const [source, chunker, parsers] = await Promise.all([
    part("source", name, node, path, inspection),
    own === undefined
      ? pipelineChunker
      : part("chunker", "chunker", own, [...path, "chunker"], inspection).then(
          (it) => it?.component,
        ),
    readParsers(nodeAt(inspection.root, [...path, "parsers"]), [...path, "parsers"], inspection),
  ]);
  const common = source?.common as z.output<typeof sourceKeys> | undefined;
  if (source === undefined || common === undefined || chunker === undefined) return undefined;
  return {
    ...(common.previously === undefined ? {} : { previously: common.previously }),
    component: source.component,
    metadata: common.metadata as JsonObject,
    parsers,
    chunker,
  };
}

/** The parsers that a source names, then the catalog's others with their defaults. */
async function readParsers(
  node: Node | undefined,
  path: Path,
  inspection: Inspection,
): Promise<ComponentConfig<"parser">[]> {
  const named = node?.kind === "map" ? [...node.entries] : [];
  const chosen = named.map(async ([type, entry]) => {
    if (entry.value.kind !== "map") return undefined;
    const at = { typeAt: entry.at, node: entry.value, path: [...path, type] };
    return checkComponent({ kind: "parser", name: type, type, ...at }, inspection);
  });
  const others = inspection.registry
    .types("parser")
    .filter((type) => !named.some(([name]) => name === type))
    .map((type) => defaultParser(type, inspection));
  const [settled, rest] = await Promise.all([Promise.all(chosen), Promise.all(others)]);
  return [...settled.map((checked) => checked?.component), ...rest].filter(
    (component) => component !== undefined,
  );
}

/** A parser that the file does not mention; left out when it cannot work without settings. */
async function defaultParser(
  type: string,
  inspection: Inspection,
): Promise<ComponentConfig<"parser"> | undefined> {
  const at = inspection.root.at;
  const node: MapNode = { kind: "map", entries: new Map(), at };
  // Its problems are dropped: the file does not mention it.
  const apart = new Inspection(inspection.root, inspection.registry, new Map());
  const unnamed = { kind: "parser", name: type, type, typeAt: at, node, path: [] } as const;
  return (await checkComponent(unnamed, apart))?.component;
}

async function readSink(
  name: string,
  path: Path,
  inspection: Inspection,
): Promise<SinkConfig | undefined> {
  const sink = await part("sink", name, nodeAt(inspection.root, path), path, inspection);
  const common = sink?.common as z.output<typeof sinkKeys> | undefined;
  if (sink === undefined || common === undefined) return undefined;
  return {
    ...(common.previously === undefined ? {} : { previously: common.previously }),
    component: sink.component,
    dimension: common.dimension,
  };
}

async function part<Kind extends ConnectorKind>(
  kind: Kind,
  name: string,
  node: Node | undefined,
  path: Path,
  inspection: Inspection,
): Promise<CheckedComponent<Kind> | undefined> {
  const component = written(kind, name, node, path);
  return component === undefined ? undefined : checkComponent(component, inspection);
}

/** Reads the members of `sources` or `sinks`, all at once; those that are wrong are left out. */
async function each<Config>(
  group: string,
  inspection: Inspection,
  read: (name: string, path: Path) => Promise<Config | undefined>,
): Promise<ReadonlyMap<string, Config>> {
  const node = nodeAt(inspection.root, [group]);
  const names = node?.kind === "map" ? [...node.entries.keys()] : [];
  const pairs = await Promise.all(
    names.map(async (name) => [name, await read(name, [group, name])] as const),
  );
  return new Map(pairs.flatMap(([name, config]) => (config === undefined ? [] : [[name, config]])));
}

function declaredFields(value: PipelineValue): Record<string, FieldType> {
  return Object.fromEntries(
    Object.entries(value.metadata).map(([name, type]) => [name, fieldTypes[type]]),
  );
}

function stateConfig(value: PipelineValue, folder: string): StateConfig {
  if (value.state.type === "memory") return { type: "memory" };
  const fileOf = (name: string): string => resolve(folder, ".sluice", `${name}.sqlite`);
  if (value.state.path !== undefined) {
    return { type: "sqlite", path: resolve(folder, value.state.path) };
  }
  const { name, previously } = value;
  const former = previously === undefined ? {} : { formerPath: fileOf(previously) };
  return { type: "sqlite", path: fileOf(name), ...former };
}

function cacheConfig({ cache }: PipelineValue, folder: string): CacheConfig {
  if (cache.type === "none") return { type: "none" };
  const { storage } = cache;
  if (cache.type === "sqlite") {
    const path = cache.path ?? join(".sluice", "cache.sqlite");
    return { type: "sqlite", path: resolve(folder, path), maxMb: cache.max_mb, storage };
  }
  const { url, username, password, prefix, ttl_days: ttlDays, timeout_ms: timeoutMs } = cache;
  return {
    type: "redis",
    url,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    prefix,
    ttlDays,
    timeoutMs,
    storage,
  };
}
