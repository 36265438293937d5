import type * as Sdk from "@pinecone-database/pinecone";
import type { CollectionSpec } from "../../../src/contracts/index.ts";
import { Fault } from "../../../src/faults/index.ts";
import type { Layout } from "../../../src/records/layout.ts";
import type { PineconeClient } from "./client.ts";
import type { PineconeConfig } from "./config.ts";
import { filterableColumns, readIndexModel, serviceMetrics } from "./live-index.ts";
import { poll } from "./poll.ts";
import type { Failure } from "./wire.ts";

/** Something else at the address would answer 404 too, in words of its own. */
const isNoIndex = statusIn([404], /^\s*\{.*not.found/is);
/** Older planes do not know the question. */
const isNoNamespace = statusIn([404, 405, 501]);
const isConflict = statusIn([409]);

/** An index in one of these states does not become ready by itself. */
const finalStates = ["InitializationFailed", "Disabled", "Terminating"];

/** The index's description; undefined when there is none of that name. */
export async function describeIndex(
  client: PineconeClient,
  name: string,
  signal: AbortSignal,
): Promise<Sdk.IndexModel | undefined> {
  const request = async (sdk: Sdk.Pinecone): Promise<Sdk.IndexModel> => {
    const model = await sdk.indexes.describe(name);
    // JSON of something else is understood neither here nor later.
    readIndexModel(model);
    if (typeof model.host !== "string") throw new TypeError("The index has no address.");
    return model;
  };
  return (await client.callUnless(isNoIndex, "described", request, signal))?.value;
}

/** Makes the index. Rejects when there is one already. It is not ready yet. */
export async function createIndex(
  client: PineconeClient,
  config: PineconeConfig,
  { dimension, metric }: CollectionSpec,
  signal: AbortSignal,
): Promise<void> {
  const { cloud, region, deletion_protection, tags } = config.create;
  const create = (sdk: Sdk.Pinecone): Promise<Sdk.IndexModel> =>
    sdk.indexes.create({
      name: config.index,
      schema: {
        fields: { _values: { type: "dense_vector", dimension, metric: serviceMetrics[metric] } },
      },
      deployment: { deploymentType: "managed", cloud, region },
      deletionProtection: deletion_protection ? "enabled" : "disabled",
      ...(Object.keys(tags).length === 0 ? {} : { tags }),
    });
  await client.call("created", create, signal);
}

/** Waits until a new index is ready, for as long as `create.timeout_ms` allows; gives its description. */
export async function waitUntilReady(
  client: PineconeClient,
  config: PineconeConfig,
  signal: AbortSignal,
): Promise<Sdk.IndexModel> {
  const { clock, address } = client;
  const { timeout_ms: limitMs } = config.create;
  let model: Sdk.IndexModel | undefined;
  await poll(clock, limitMs, signal, async () => {
    model = await describeIndex(client, config.index, signal);
    if (model !== undefined) refuseFinalState(model, address);
    return model?.status.ready === true;
  });
  if (model?.status.ready === true) return model;
  throw new Fault(
    "sink.not-ready",
    `The collection ${address} was made but is not ready after ${limitMs} ms. Run again later, or raise ` +
      "`create.timeout_ms`.",
  );
}

/** Rejects when the index is not ready, with the advice that its state asks for. */
export function requireReady({ status, name }: Sdk.IndexModel, address: string): void {
  if (status.ready) return;
  refuseFinalState({ status, name }, address);
  throw new Fault(
    "sink.not-ready",
    `The collection ${address} is not ready yet: Pinecone says \`${status.state}\`. Try again in a while.`,
  );
}

function refuseFinalState(
  { status, name }: Pick<Sdk.IndexModel, "status" | "name">,
  address: string,
): void {
  if (!finalStates.includes(status.state)) return;
  throw new Fault(
    "sink.not-ready",
    `The collection ${address} cannot be used: Pinecone says that the index \`${name}\` is \`${status.state}\`. Look at it in ` +
      "Pinecone's console, or name another one.",
    { retry: status.state === "Terminating" ? "later" : "never" },
  );
}

/** The metadata keys that filters can name in a namespace; undefined when all can be, or there is no namespace yet. */
export async function describeFilterable(
  client: PineconeClient,
  host: string,
  namespace: string,
  signal: AbortSignal,
): Promise<ReadonlySet<string> | undefined> {
  const request = (sdk: Sdk.Pinecone): Promise<Sdk.NamespaceDescription> =>
    sdk.index({ host }).describeNamespace(namespace);
  const found = await client.callUnless(isNoNamespace, "described", request, signal);
  const fields = Object.keys(found?.value.schema?.fields ?? {});
  return fields.length === 0 ? undefined : new Set(fields);
}

/** Makes a namespace that indexes only what filters can name. One that somebody else made meanwhile stays. */
export async function createNamespace(
  client: PineconeClient,
  host: string,
  namespace: string,
  layout: Layout,
  signal: AbortSignal,
): Promise<void> {
  const names = filterableColumns(layout).map(({ name }) => [name, { filterable: true }] as const);
  const schema = { fields: Object.fromEntries(names) };
  const request = (sdk: Sdk.Pinecone): Promise<Sdk.NamespaceDescription> =>
    sdk.index({ host }).createNamespace({ name: namespace, schema });
  await client.callUnless(isConflict, "created", request, signal);
}

function statusIn(statuses: readonly number[], text = /(?:)/): (failure: Failure) => boolean {
  return (failure) =>
    failure.kind === "status" && statuses.includes(failure.status) && text.test(failure.text);
}
