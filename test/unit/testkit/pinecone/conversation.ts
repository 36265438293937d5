import { Pinecone } from "@pinecone-database/pinecone";
import { startPineconeEmulator } from "../../../../src/testkit/index.ts";
import type { Exchange } from "./open-api.ts";
import { described, records, type Send, type IndexSettings } from "./support.ts";

export interface Said extends Exchange {
  /** Who said it: the official client, or we by hand, who may say what is wrong. */
  readonly by: "client" | "hand";
}

/** Does everything with an emulator that it can do, in the API that is described officially; gives what was said. */
export async function converse(): Promise<readonly Said[]> {
  const said: Said[] = [];
  const emulator = await startPineconeEmulator();
  try {
    const control = recordingSender(said, emulator.url);
    const hosts = await manageIndexes(control);
    for (const host of Object.values(hosts)) await useByHand(recordingSender(said, host));
    await useClient(said, hosts.dense);
    await breakOff(control, recordingSender(said, hosts.dense));
    for (const name of ["dense", "sparse", "dot"]) await control(`DELETE /indexes/${name}`);
    return said;
  } finally {
    await emulator.close();
  }
}

async function manageIndexes(send: Send) {
  const make = async (
    settings: IndexSettings & { readonly [more: string]: unknown },
  ): Promise<string> => {
    const reply = await send("POST /indexes", { spec, ...settings });
    return (reply.body as { readonly host: string }).host;
  };
  await send("GET /indexes");
  const serverless = { ...spec.serverless, schema: { fields: { page: { filterable: true } } } };
  const hosts = {
    dense: await make({ name: "dense", dimension: 3, spec: { serverless } }),
    sparse: await make({ name: "sparse", metric: "dotproduct", vector_type: "sparse" }),
    dot: await make({ name: "dot", dimension: 3, metric: "dotproduct", tags: { a: "b" } }),
  };
  await send("GET /indexes");
  await send("GET /indexes/dense");
  await send("PATCH /indexes/dense", { deletion_protection: "enabled", tags: { team: "a" } });
  await send("DELETE /indexes/dense");
  await send("PATCH /indexes/dense", { deletion_protection: "disabled" });
  return hosts;
}

const spec = { serverless: { cloud: "aws", region: "us-east-1" } };

/** Every operation of the data plane, whether the index takes it or not. */
async function useByHand(send: Send): Promise<void> {
  const metadata = { page: 1, tags: ["a"], done: true, title: "T" };
  const sparseValues = { indices: [1, 5], values: [0.5, 1] };
  const vectors = records("a", "b", "c", "d").map((record) => ({ ...record, metadata }));
  await send("POST /vectors/upsert", { vectors, namespace: "x" });
  await send("POST /vectors/upsert", { vectors: [{ id: "s", sparseValues }], namespace: "x" });
  const both = [{ id: "t", values: [1, 2, 3], sparseValues }];
  await send("POST /vectors/upsert", { vectors: both, namespace: "x" });
  await send("GET /vectors/fetch?ids=a&ids=s&ids=t&ids=none&namespace=x");
  await send("POST /vectors/fetch_by_metadata", { filter: { page: 1 }, limit: 2, namespace: "x" });
  await send("GET /vectors/list?namespace=x&limit=2&prefix=");
  const all = { topK: 3, namespace: "x", includeValues: true, includeMetadata: true };
  await send("POST /query", { ...all, vector: [1, 2, 3] });
  await send("POST /query", { ...all, vector: [1, 2, 3], sparseVector: sparseValues });
  await send("POST /query", { ...all, sparseVector: sparseValues });
  await send("POST /query", { topK: 1, id: "a", namespace: "x", filter: { page: { $gt: 0 } } });
  await send("POST /vectors/update", { id: "a", setMetadata: { page: 2 }, namespace: "x" });
  const update = { filter: { page: 1 }, setMetadata: { page: 3 }, namespace: "x" };
  await send("POST /vectors/update", { ...update, dryRun: true });
  await send("POST /vectors/update", update);
  const schema = { fields: { page: { filterable: true } } };
  await send("POST /namespaces", { name: "y", schema });
  await send("POST /namespaces", { name: "y", schema });
  await send("GET /namespaces?limit=1&prefix=");
  await send("GET /namespaces/y");
  await send("GET /namespaces/none");
  await send("POST /describe_index_stats", {});
  await send("POST /describe_index_stats", { filter: { page: 1 } });
  await send("POST /vectors/delete", { ids: ["a"], namespace: "x" });
  await send("POST /vectors/delete", { filter: { page: 3 }, namespace: "x" });
  await send("POST /vectors/delete", { deleteAll: true, namespace: "x" });
  await send("POST /vectors/delete", { ids: ["a"], namespace: "none" });
  await send("DELETE /namespaces/y");
  await send("DELETE /namespaces/none");
}

/** What is refused. */
async function breakOff(control: Send, data: Send): Promise<void> {
  for (const body of [
    {},
    { name: "A", spec, dimension: 3 },
    { name: "dense", spec, dimension: 3 },
  ]) {
    await control("POST /indexes", body);
  }
  const nowhere = { serverless: { cloud: "aws", region: "moon" } };
  await control("POST /indexes", { name: "moon", dimension: 3, spec: nowhere });
  await control("GET /indexes/none");
  await control("PATCH /indexes/none", {});
  await control("PATCH /indexes/dense", { tags: { "a b": "c" } });
  await control("DELETE /indexes/none");
  await data("POST /vectors/upsert", { vectors: [{ id: "a", values: [1] }] });
  await data("POST /vectors/upsert", "{");
  await data("POST /vectors/upsert", " ".repeat(3_000_000));
  await data("GET /vectors/fetch");
  await data("GET /vectors/list?limit=1000");
  await data("POST /query", { topK: 1 });
  await data("POST /vectors/update", {});
  await data("POST /vectors/fetch_by_metadata", { filter: { a: null } });
  await data("GET /namespaces?limit=1000");
}

/** The official client's own requests. Version 9 describes indexes in a newer way, so only the data plane is asked. */
async function useClient(said: Said[], host: string): Promise<void> {
  const client = new Pinecone({
    apiKey: "key",
    maxRetries: 0,
    fetchApi: recordingFetch(said, "client"),
    additionalHeaders: { "X-Pinecone-Api-Version": described },
  });
  const index = client.index({ host, namespace: "z" });
  const vectors = records("p#1", "p#2").map((record) => ({ ...record, metadata: { page: 1 } }));
  await index.upsert({ records: vectors });
  await index.fetch({ ids: ["p#1", "p#2"] });
  await index.fetchByMetadata({ filter: { page: { $eq: 1 } }, limit: 1 });
  await index.listPaginated({ prefix: "p#", limit: 1 });
  await index.query({ vector: [1, 2, 3], topK: 2, includeValues: true, includeMetadata: true });
  await index.query({ id: "p#1", topK: 1, filter: { page: { $in: [1] } } });
  await index.update({ id: "p#1", values: [3, 2, 1], metadata: { page: 2 } });
  await index.describeIndexStats();
  await index.createNamespace({ name: "made", schema: { fields: { page: { filterable: true } } } });
  await index.listNamespaces({ limit: 10, prefix: "m" });
  await index.describeNamespace("z");
  await index.deleteOne({ id: "p#1" });
  await index.deleteMany({ ids: ["p#2"] });
  await index.deleteMany({ filter: { page: { $eq: 1 } } });
  await index.deleteAll();
  await index.deleteNamespace("made");
}

function recordingSender(said: Said[], address: string): Send {
  const send = recordingFetch(said, "hand");
  return async (request, body) => {
    const [method = "", path = ""] = request.split(" ");
    const text = typeof body === "string" ? body : JSON.stringify(body);
    const response = await send(`${address}${path}`, {
      method,
      headers: { "api-key": "key", "x-pinecone-api-version": described },
      ...(body === undefined ? {} : { body: text }),
    });
    const isJson = response.headers.get("content-type") === "application/json";
    const received: unknown = isJson ? await response.json() : await response.text();
    return { status: response.status, body: received, headers: {} };
  };
}

function recordingFetch(said: Said[], by: Said["by"]): typeof fetch {
  return async (input, init) => {
    const response = await fetch(input, init);
    const type = response.headers.get("content-type") ?? undefined;
    const text = await response.clone().text();
    said.push({
      by,
      method: init?.method ?? "GET",
      url: String(input),
      sent: typeof init?.body === "string" ? parseOrText(init.body) : undefined,
      status: response.status,
      type,
      received: type === "application/json" ? JSON.parse(text) : text,
    });
    return response;
  };
}

function parseOrText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
