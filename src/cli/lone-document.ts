import { basename, dirname, resolve } from "node:path";
import { catalog } from "../../connectors/catalog.ts";
import type {
  ComponentOf,
  Connector,
  ConnectorContext,
  ConnectorKind,
  DocumentRef,
} from "../contracts/index.ts";
import type { Pipeline, PipelineParser, PipelineSource } from "../engine/index.ts";
import { Fault } from "../faults/index.ts";
import { abortable, systemClock } from "../flow/index.ts";
import { usageFault } from "./command.ts";

/** What `parse` needs of a pipeline. */
export type ParsingPipeline = Pick<Pipeline, "sources" | "embedder" | "policy"> & Pipeline;

/** A pipeline of defaults, for documents without one. Nothing of it is opened. */
export async function plainPipeline(): Promise<ParsingPipeline> {
  const { defaultPolicy } = await import("../engine/pipeline.ts");
  const { memoryStateStore } = await import("../state/memory-store.ts");
  const parsers = await Promise.all(
    catalog
      .filter(({ kind }) => kind === "parser")
      .map(async ({ type }): Promise<PipelineParser> => {
        return { type, parser: await make("parser", type, {}), recipe: type };
      }),
  );
  const source: PipelineSource = {
    name: "file",
    source: await make("source", "files", { root: "." }),
    metadata: {},
    parsers,
    chunker: await make("chunker", "structure", {}),
    chunkerRecipe: "structure",
  };
  return {
    name: "parse",
    sources: new Map([[source.name, source]]),
    embedder: await make("embedder", "lexical", {}),
    sinks: new Map(),
    state: memoryStateStore(),
    cache: undefined,
    fields: {},
    policy: defaultPolicy,
  };
}

/** A file as the source `files` describes it, with the source whose parsers and chunker are to be used. */
export async function openDocument(
  pipeline: Pipeline,
  path: string,
  sourceName: string | undefined,
  signal: AbortSignal,
): Promise<{ readonly source: PipelineSource; readonly document: DocumentRef }> {
  const [first] = pipeline.sources.values();
  const source = sourceName === undefined ? first : pipeline.sources.get(sourceName);
  if (source === undefined) {
    const known = [...pipeline.sources.keys()].map((name) => `\`${name}\``).join(", ");
    throw usageFault(`There is no source \`${sourceName}\`; the file has ${known}.`);
  }
  const name = basename(path);
  const folder = dirname(resolve(path));
  const include = [name.replaceAll(/[\\*?[\]{}()!+@|]/g, String.raw`\$&`)];
  const files = await make("source", "files", { root: folder, include });
  try {
    for await (const event of abortable(files.lookup([name], signal), signal)) {
      if (event.kind === "failure") throw event.fault;
      if (event.kind === "document") return { source, document: event.document };
    }
  } finally {
    // Closing ends reads, and the document is still to be read.
    signal.addEventListener("abort", () => void files.close(), { once: true });
  }
  throw new Fault(
    "config.invalid",
    `\`${path}\` does not exist, or is not a file that can be read.`,
  );
}

async function make<Kind extends ConnectorKind>(
  kind: Kind,
  type: string,
  config: unknown,
): Promise<ComponentOf[Kind]> {
  const entry = catalog.find((line) => line.kind === kind && line.type === type);
  if (entry === undefined) throw new TypeError(`The catalog has no ${kind} ${type}.`);
  const connector = (await entry.load()) as Connector<Kind>;
  const context: ConnectorContext = {
    name: type,
    pipeline: "parse",
    folder: process.cwd(),
    clock: systemClock,
    fields: {},
  };
  return connector.create(connector.config.parse(config), context);
}
