import { statSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { modelFiles, repository } from "../../unit/models/support/pull-place.ts";
import { serveVectors } from "../../unit/models/support/serve-vectors.ts";
import { sha256Of, type StubHub, startStubHub } from "../../unit/models/support/stub-hub.ts";
import { toyTokens, toyVectors, type ToyMistakes } from "../../unit/models/support/toy-model.ts";
import { until } from "../support/until.ts";
import { documents, offlinePipeline, Workplace } from "./support/workplace.ts";

const weights = "onnx/model.onnx_data";
const tiny = fileURLToPath(new URL("../../fixtures/tiny-qwen3", import.meta.url));

interface PulledDocument {
  readonly folder: string;
  readonly commit: string;
  readonly graph: string;
  readonly fetched: number;
  readonly files: readonly { readonly path: string }[];
}

interface ListDocument {
  readonly models: readonly { readonly id: string; readonly dimension: number }[];
  readonly pulled: readonly { readonly model?: string; readonly complete: boolean }[];
}

let cache = "";
beforeAll(async () => (cache = await mkdtemp(join(tmpdir(), "sluice-cache-"))));
afterAll(() => rm(cache, { recursive: true }));

/** A folder in which the command line finds this hub. */
function placeFor(hub: StubHub, token = ""): Promise<Workplace> {
  return Workplace.make({}, { HF_ENDPOINT: hub.url, HF_TOKEN: token, XDG_CACHE_HOME: cache });
}

describe("sluice models pull", () => {
  it("fetches a model, says what and where, and `list` then shows it", async () => {
    await using hub = await startStubHub(repository, modelFiles());
    await using place = await placeFor(hub);
    const first = await place.sluice("models", "pull", repository, "--json");
    expect([first.code, first.stderr]).toEqual([0, ""]);
    const { folder, commit, graph, fetched } = first.json<PulledDocument>();
    expect({ commit, graph, fetched }).toEqual({
      commit: hub.commit,
      graph: "onnx/model.onnx",
      fetched: 6,
    });
    expect(folder).toMatch(/sluice\/models\/someone--tiny-embedding\/main$/);
    expect(await readFile(join(folder, weights))).toEqual(modelFiles()[weights]);
    const list = (await place.sluice("models", "list", "--json")).json<ListDocument>();
    expect(list.models.map(({ dimension }) => dimension)).toEqual([1024, 1536, 2560, 3072, 4096]);
    expect(list.pulled).toMatchObject([{ model: repository, complete: true }]);
    const again = await place.sluice("models", "pull", repository);
    expect(again.stdout).toContain("there already");
    const fp16 = await place.sluice("models", "pull", repository, "--precision", "fp16");
    expect(fp16.stderr).toContain("`file: onnx/model_fp16.onnx`");
    const given = ["--precision", "fp16", "--into", "alone"];
    const alone = await place.sluice("models", "pull", repository, ...given);
    expect([alone.code, alone.stderr]).toEqual([0, expect.not.stringContaining("file:")]);
  });

  it("that was killed goes on where it stopped", async () => {
    const files = { ...modelFiles(), [weights]: Buffer.alloc(3_000_000, "weights") };
    await using hub = await startStubHub(repository, files);
    await using place = await placeFor(hub);
    const stored = Promise.withResolvers<void>();
    hub.behave(({ path, host }) => {
      if (host !== "store" || !path.includes(weights)) return undefined;
      stored.resolve();
      return { kind: "stall", after: 1_200_000 };
    });
    const into = join(place.folder, "model");
    const started = place.start("models", "pull", repository, "--into", "model");
    await stored.promise;
    const part = join(
      `${into}.sluice-partial`,
      `${weights}.${sha256Of(files[weights]).slice(0, 16)}.part`,
    );
    const sizeOf = (): number => statSync(part, { throwIfNoEntry: false })?.size ?? 0;
    expect(await until(() => sizeOf() >= 1_200_000, 20_000)).toBe(true);
    started.process.kill("SIGKILL");
    expect((await started.ended).code).toBeNull();
    expect(await readdir(place.folder)).toEqual(["model.sluice-partial"]);

    hub.behave(() => undefined);
    const before = hub.requests.length;
    const second = await place.sluice("models", "pull", repository, "--into", "model");
    expect(second.code).toBe(0);
    const ranges = hub.requests.slice(before).filter(({ path }) => path.includes(weights));
    expect(ranges.map(({ range }) => range).at(-1)).toBe("bytes=1200000-");
    expect(await readFile(join(into, weights))).toEqual(files[weights]);
    expect(await readdir(place.folder)).toEqual(["model"]);
  });

  it("ends with 130 at the first Ctrl-C, and what came stays", async () => {
    await using hub = await startStubHub(repository, modelFiles());
    await using place = await placeFor(hub);
    const asked = Promise.withResolvers<void>();
    hub.behave(({ path, host }) => {
      if (host !== "store" || !path.includes(weights)) return undefined;
      asked.resolve();
      return { kind: "stall", after: 1_000 };
    });
    const started = place.start("models", "pull", repository, "--into", "model", "--json");
    await asked.promise;
    started.process.kill("SIGINT");
    const { code, json } = await started.ended;
    expect([code, json()]).toMatchObject([130, { error: { code: "aborted" } }]);
    expect(await readdir(place.folder)).toEqual(["model.sluice-partial"]);
  });

  it("ends with the code of what went wrong, and tells no secret", async () => {
    await using hub = await startStubHub(repository, modelFiles(), { private: "hf_right" });
    await using place = await placeFor(hub, "hf_wrong_token");
    const refused = await place.sluice("models", "pull", repository, "--json");
    expect([refused.code, refused.json()]).toMatchObject([
      5,
      { error: { code: "model.unauthorized" } },
    ]);
    expect(refused.stdout + refused.stderr).not.toContain("hf_wrong_token");
    hub.behave(() => ({ kind: "status", status: 404 }));
    const unknown = await place.sluice("models", "pull", "someone/none", "--json");
    expect([unknown.code, unknown.json()]).toMatchObject([
      5,
      { error: { code: "model.not-found" } },
    ]);
    const usage = await Promise.all([
      place.sluice("models", "pull", "../etc", "--json"),
      place.sluice("models", "pull", "a", "b", "--json"),
      place.sluice("models", "pull", "text-embedding-3-small", "--precision", "fp8", "--json"),
      place.sluice("models", "verify", "sluice.yaml", "--path", "model", "--json"),
      place.sluice("models", "verify", "--path", "/", "--json"),
    ]);
    expect(usage.map(({ code }) => code)).toEqual([2, 2, 2, 2, 2]);
  });

  it("refuses with 4 what is not the file that was promised", async () => {
    await using hub = await startStubHub(repository, modelFiles());
    await using place = await placeFor(hub);
    hub.behave(({ host }) => (host === "store" ? { kind: "other-content" } : undefined));
    const given = ["models", "pull", repository, "--into", "model", "--json"];
    const { code, json, stderr } = await place.sluice(...given);
    expect([code, json()]).toMatchObject([4, { error: { code: "refused.checksum" } }]);
    expect(stderr).toContain("sha256");
  });

  it("takes a folder without any network", async () => {
    await using hub = await startStubHub(repository, modelFiles());
    await using place = await placeFor(hub);
    await place.sluice("models", "pull", repository, "--into", "brought");
    const before = hub.requests.length;
    const given = ["--from", "brought", "--into", "here", "--json"];
    const copied = await place.sluice("models", "pull", repository, ...given);
    expect(copied.json<PulledDocument>()).toMatchObject({ commit: hub.commit, fetched: 6 });
    const told = await place.sluice(
      "models",
      "pull",
      repository,
      "--from",
      "brought",
      "--into",
      "a",
    );
    expect(told.stdout).toContain(`from ${join(place.folder, "brought")} at ${hub.commit}`);
    expect(told.stdout).toContain("sha256 verified");
    await rm(join(place.folder, "brought", "sluice-model.json"));
    const taken = await place.sluice(
      "models",
      "pull",
      repository,
      "--from",
      "brought",
      "--into",
      "b",
    );
    expect(taken.stdout).toContain("nothing to verify it by");
    expect(taken.stdout).not.toContain("sha256 verified");
    expect(hub.requests).toHaveLength(before);
  });
});

describe("a model that was pulled", () => {
  it("is found by the embedder in process, verified against its reference, run and asked", async () => {
    const names = await readdir(tiny, { recursive: true });
    const wanted = names.filter((name) => /\.(?:json|onnx|onnx_data)$/.test(name));
    const contents = wanted.map(async (name) => [name, await readFile(join(tiny, name))] as const);
    await using hub = await startStubHub(
      "someone/tiny-qwen3",
      Object.fromEntries(await Promise.all(contents)),
    );
    const pipeline = offlinePipeline.replace(
      "{ type: lexical }",
      "{ type: qwen3, model: someone/tiny-qwen3, device: cpu }\nchunker: { type: structure, max_tokens: 400 }",
    );
    const environment = { HF_ENDPOINT: hub.url, XDG_CACHE_HOME: cache };
    await using place = await Workplace.make(
      { "sluice.yaml": pipeline, ...documents(3) },
      environment,
    );
    expect((await place.sluice("run", "--json")).stderr).toContain("sluice models pull");
    expect((await place.sluice("models", "pull", "someone/tiny-qwen3")).code).toBe(0);
    const golden = ["--golden", join(tiny, "goldens.json"), "--precision", "fp32"];
    const verified = await place.sluice("models", "verify", ...golden, "--json");
    expect([verified.code, verified.json()]).toMatchObject([0, { right: true }]);
    const run = await place.sluice("run", "--json");
    expect([run.code, run.json()]).toMatchObject([0, { documents: { added: 3 } }]);
    expect((await place.sluice("query", "topic2", "--json")).code).toBe(0);
  });
});

describe("sluice models verify", () => {
  const model = "Qwen/Qwen3-Embedding-0.6B";
  const serve = (wrong: ToyMistakes) =>
    serveVectors(
      (texts, dimensions) => ({
        vectors: toyVectors(texts, wrong).map((vector) => vector.slice(0, dimensions)),
        tokens: texts.reduce((sum, text) => sum + toyTokens(text, wrong).length, 0),
      }),
      { model },
    );
  const pipelineFor = (url: string): string =>
    offlinePipeline.replace(
      "{ type: lexical }",
      `{ type: openai, url: "${url}", model: ${model} }`,
    );

  it("passes a server that gives the published cosines", async () => {
    await using server = await serve({});
    await using place = await Workplace.make({ "sluice.yaml": pipelineFor(server.url) });
    const { code, json } = await place.sluice("models", "verify", "--precision", "fp32", "--json");
    expect([code, json()]).toMatchObject([0, { right: true, precision: "fp32", findings: [] }]);
  });

  it("ends with 4 and names the mistake of a server that is wrong", async () => {
    await using server = await serve({ ending: "none" });
    await using place = await Workplace.make({ "sluice.yaml": pipelineFor(server.url) });
    const { code, json } = await place.sluice("models", "verify", "--json");
    expect([code, json()]).toMatchObject([
      4,
      {
        right: false,
        findings: [{ mistake: "missing-end-token" }],
        error: { code: "refused.model" },
      },
    ]);
    const told = await place.sluice("models", "verify");
    expect(told.stdout).toContain("missing-end-token: No end token");
    expect(told.stderr).toContain("refused.model");
  });

  it("asks for full vectors, too, where the pipeline has the server shorten them", async () => {
    await using server = await serve({});
    await using place = await Workplace.make({ "sluice.yaml": pipelineFor(server.url) });
    const given = ["--set", "embedder.dimensions=256", "--json"];
    const { code, json } = await place.sluice("models", "verify", ...given);
    expect([code, json()]).toMatchObject([
      4,
      { findings: [{ mistake: "normalise-before-slice" }] },
    ]);
  });

  it("says that a server does not answer, with 5", async () => {
    await using place = await Workplace.make({
      "sluice.yaml": pipelineFor("http://127.0.0.1:9/v1"),
    });
    const { code, json } = await place.sluice("models", "verify", "--json");
    expect([code, json()]).toMatchObject([5, { error: { code: "embed.unreachable" } }]);
  });

  it("passes the model in a folder, in process, against vectors of a reference", async () => {
    await using place = await Workplace.make();
    const given = ["--path", tiny, "--golden", join(tiny, "goldens.json"), "--precision", "fp32"];
    const { code, json } = await place.sluice("models", "verify", ...given, "--json");
    expect([code, json()]).toMatchObject([0, { right: true, model: { name: "tiny-qwen3" } }]);
  });

  it("has only the structure of an unknown model to go by, and says so", async () => {
    await using place = await Workplace.make({ "sluice.yaml": offlinePipeline });
    const { code, stdout } = await place.sluice("models", "verify");
    expect(code).toBe(0);
    expect(stdout).toContain("published cosines: none are known of this model");
  });
});
