import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { makePlace } from "../support/place.ts";

const execute = promisify(execFile);
const program = fileURLToPath(new URL("load-all.ts", import.meta.url));

/** A port on which nobody listens. */
async function closedPort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (typeof address !== "object" || address === null) throw new Error("There is no port.");
  return address.port;
}

/** A module of somebody else's that loads a client which shares packages with ours. */
const client = JSON.stringify(import.meta.resolve("weaviate-client"));
const theirs = `
import ${client};
export const theirSink = {
  kind: "sink", type: "theirs", revision: 1, create() {}, config: { safeParse() {} },
};
`;

const processes = 5;

it(`all sinks of one file load in each of ${processes} fresh processes, asked at once`, async () => {
  const place = await makePlace();
  const port = await closedPort();
  const lines = [
    "name: handbook",
    "sources: { docs: { type: files, root: docs } }",
    "embedder: { type: lexical }",
    "sinks:",
    "  lancedb: { type: lancedb, uri: index, collection: handbook }",
    `  milvus: { type: milvus, address: "127.0.0.1:${port}", collection: handbook }`,
    `  pinecone: { type: pinecone, api_key: a-key, index: handbook, control_url: "http://127.0.0.1:${port}" }`,
    `  weaviate: { type: weaviate, url: "http://127.0.0.1:${port}", collection: Handbook }`,
    "state: { type: memory }",
    "cache: { type: none }",
    "",
  ];
  await writeFile(place.file, lines.join("\n"));
  const module = join(place.folder, "theirs.mjs");
  await writeFile(module, theirs);
  for (let round = 0; round < processes; round += 1) {
    const { stdout } = await execute(process.execPath, [program, place.file, module]);
    expect(JSON.parse(stdout)).toEqual({
      lancedb: "described",
      milvus: "sink.unreachable",
      pinecone: "sink.unreachable",
      weaviate: "sink.unreachable",
      theirs: "theirs",
    });
  }
}, 120_000);
