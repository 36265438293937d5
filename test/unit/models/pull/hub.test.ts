import { readFile, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Hub } from "../../../../src/models/pull/hub.ts";
import { readManifest } from "../../../../src/models/manifest.ts";
import { fp32, modelFiles, PullPlace, repository } from "../support/pull-place.ts";
import { sha256Of, startStubHub } from "../support/stub-hub.ts";

const weights = "onnx/model.onnx_data";

const wantedPaths = [
  "1_Pooling/config.json",
  "config.json",
  "onnx/model.onnx",
  weights,
  "tokenizer.json",
  "tokenizer_config.json",
];

describe("pulling from a hub", () => {
  it("fetches what an embedder needs at the commit of the branch, and nothing else", async () => {
    const files = modelFiles();
    await using hub = await startStubHub(repository, files);
    await using place = await PullPlace.make();
    const pulled = await place.pull(hub.url);
    expect(place.chosen.toSorted()).toEqual(wantedPaths);
    expect(pulled).toMatchObject({ fetched: 6, graph: "onnx/model.onnx", folder: place.folder });
    for (const path of wantedPaths) {
      expect(await readFile(join(place.folder, path))).toEqual(files[path]);
    }
    const manifest = await readManifest(place.folder);
    expect(manifest).toMatchObject({ model: repository, revision: "main", commit: hub.commit });
    expect(manifest?.files).toEqual(
      wantedPaths.map((path) => {
        const content = files[path] ?? Buffer.alloc(0);
        return { path, size: content.length, sha256: sha256Of(content) };
      }),
    );
    expect((await readdir(place.root)).toSorted()).toEqual(["model", "sluice"]);
    expect(place.there).toBe(
      wantedPaths.reduce((sum, path) => sum + (files[path]?.length ?? 0), 0),
    );
  });

  it("fetches nothing twice: what is there and right stays, what was damaged comes again", async () => {
    await using hub = await startStubHub(repository, modelFiles());
    await using place = await PullPlace.make();
    await place.pull(hub.url);
    const before = hub.requests.length;
    expect(place.checked).toBe(0);
    expect(await place.pull(hub.url)).toMatchObject({ fetched: 0 });
    expect(place.checked).toBe(place.there);
    expect(hub.requests.slice(before).every(({ path }) => path.startsWith("/api/"))).toBe(true);
    await writeFile(
      join(place.folder, "config.json"),
      Buffer.alloc(modelFiles()["config.json"]?.length ?? 0),
    );
    expect(await place.pull(hub.url)).toMatchObject({ fetched: 1 });
    expect(await readFile(join(place.folder, "config.json"))).toEqual(modelFiles()["config.json"]);
  });

  it("adds another precision beside the one that is there", async () => {
    await using hub = await startStubHub(repository, modelFiles());
    await using place = await PullPlace.make();
    await place.pull(hub.url);
    const wanted = { precision: "fp16", patterns: [] } as const;
    expect(await place.pull(hub.url, { wanted })).toMatchObject({ fetched: 2 });
    expect((await readdir(join(place.folder, "onnx"))).toSorted()).toEqual([
      "model.onnx",
      "model.onnx_data",
      "model_fp16.onnx",
      "model_fp16.onnx_data",
    ]);
    expect((await readManifest(place.folder))?.files).toHaveLength(8);
  });

  it("replaces the files as a whole when the branch has moved", async () => {
    await using hub = await startStubHub(repository, modelFiles());
    await using place = await PullPlace.make();
    await place.pull(hub.url, { wanted: { precision: "q8", patterns: [] } });
    hub.move("b".repeat(40), modelFiles(2));
    await place.pull(hub.url);
    const manifest = await readManifest(place.folder);
    expect(manifest?.commit).toBe("b".repeat(40));
    expect(manifest?.files.map(({ path }) => path)).toEqual(wantedPaths);
    expect(await readdir(join(place.folder, "onnx"))).not.toContain("model_quantized.onnx");
    expect(await readFile(join(place.folder, weights))).toEqual(modelFiles(2)[weights]);
  });

  it("takes exactly the files that were named", async () => {
    await using hub = await startStubHub(repository, modelFiles());
    await using place = await PullPlace.make();
    const wanted = { ...fp32, patterns: ["*.md", "onnx/*_fp16.onnx*"] };
    expect(await place.pull(hub.url, { wanted })).toMatchObject({ graph: "onnx/model_fp16.onnx" });
    expect(place.chosen).toEqual([
      "README.md",
      "onnx/model_fp16.onnx",
      "onnx/model_fp16.onnx_data",
    ]);
    const none = { ...fp32, patterns: ["*.gguf"] };
    await expect(place.pull(hub.url, { wanted: none })).rejects.toMatchObject({
      code: "model.not-found",
      message: expect.stringContaining("onnx/model_quantized.onnx"),
    });
  });

  it.each([
    [
      "a precision that it lacks",
      (files: Record<string, Buffer>) => files,
      "q4",
      "it has fp32, fp16, q8",
    ],
    ["no ONNX file at all", withoutOnnx, "fp32", "has no ONNX file"],
    ["no tokenizer", withoutTokenizer, "fp32", "no `tokenizer.json`"],
  ] as const)("says what a repository has that has %s", async (_, change, precision, said) => {
    await using hub = await startStubHub(repository, change(modelFiles()));
    await using place = await PullPlace.make();
    const pulling = place.pull(hub.url, { wanted: { precision, patterns: [] } });
    await expect(pulling).rejects.toMatchObject({
      code: "model.not-found",
      message: expect.stringContaining(said),
    });
  });
});

describe("the token", () => {
  it("goes to the hub, and never to the host that it redirects to", async () => {
    await using hub = await startStubHub(repository, modelFiles(), { private: "hf_secret" });
    await using place = await PullPlace.make();
    await place.pull(hub.url, { token: "hf_secret" });
    const seen = (host: string) => hub.requests.filter((request) => request.host === host);
    expect(seen("store").length).toBeGreaterThan(0);
    expect(new Set(seen("store").map(({ authorization }) => authorization))).toEqual(
      new Set([undefined]),
    );
    expect(new Set(seen("hub").map(({ authorization }) => authorization))).toEqual(
      new Set(["Bearer hf_secret"]),
    );
  });

  it("and the password of an address are in no message", async () => {
    await using hub = await startStubHub(repository, modelFiles(), { private: "hf_secret" });
    await using place = await PullPlace.make();
    const endpoint = hub.url.replace("http://", "http://someone:hushhush@");
    const error: unknown = await place.pull(endpoint, { token: "wrong_secret" }).catch((e) => e);
    expect(error).toMatchObject({ code: "model.unauthorized" });
    expect(String(error)).not.toMatch(/hushhush|wrong_secret/);
    expect(String(error)).toContain("HF_TOKEN");
  });
});

describe("a mirror", () => {
  it("may be a path of a server, and escapes each part of what is asked", () => {
    const mirror = new Hub({ endpoint: "https://someone:pass@mirror.example/hub/" });
    const url = mirror.address(["a", "b", "resolve", "refs/pr/1", "x y.json"]);
    expect(url.href).toBe("https://mirror.example/hub/a/b/resolve/refs%2Fpr%2F1/x%20y.json");
    expect(mirror.shown).toBe("https://mirror.example/hub");
  });

  it("that passes on the hub's own addresses of pages is asked for all of them, and nobody else", async () => {
    await using hub = await startStubHub(repository, modelFiles(), { private: "hf_secret" });
    await using other = await startStubHub(repository, {});
    await using place = await PullPlace.make();
    hub.namePagesAt(other.url);
    await place.pull(hub.url, { token: "hf_secret" });
    expect(place.chosen.toSorted()).toEqual(wantedPaths);
    expect(other.requests).toEqual([]);
  });
});

describe("a hub that fails", () => {
  it.each([
    [401, "model.unauthorized"],
    [403, "model.unauthorized"],
    [404, "model.not-found"],
    [418, "model.invalid"],
    [429, "model.busy"],
    [500, "model.failed"],
    [503, "model.busy"],
  ])("is told by its status %i: %s", async (status, code) => {
    await using hub = await startStubHub(repository, modelFiles());
    await using place = await PullPlace.make();
    hub.behave(({ path }) => (path.includes("/resolve/") ? { kind: "status", status } : undefined));
    await expect(place.pull(hub.url)).rejects.toMatchObject({
      code,
      message: expect.stringContaining(String(status)),
    });
    expect(await readdir(place.root)).not.toContain("model");
  });

  it("is asked again after the time that it names, and then gives the file", async () => {
    await using hub = await startStubHub(repository, modelFiles());
    await using place = await PullPlace.make();
    const waits: number[] = [];
    let refused = 0;
    hub.behave(() =>
      refused++ < 2 ? { kind: "status", status: 429, retryAfter: "0.05" } : undefined,
    );
    const onRetry = (_: unknown, delayMs: number): void => void waits.push(delayMs);
    expect(await place.pull(hub.url, { onRetry })).toMatchObject({ fetched: 6 });
    expect(waits).toEqual([50, 50]);
  });

  it.each([
    ["no connection", "http://127.0.0.1:9", "model.unreachable"],
    ["an address that is none", "ftp://example.org", "config.invalid"],
  ])("is told by %s", async (_, endpoint, code) => {
    await using place = await PullPlace.make();
    await expect(place.pull(endpoint)).rejects.toMatchObject({ code });
  });

  it.each([
    ["HTML", "<!doctype html>"],
    ["another shape", '{"files":[]}'],
    ["entries without a hash", '[{"type":"file","path":"config.json","size":3}]'],
  ])("is told by a list of files that is %s", async (_, body) => {
    await using hub = await startStubHub(repository, modelFiles());
    await using place = await PullPlace.make();
    hub.behave(({ path }) => (path.includes("/tree/") ? { kind: "body", body } : undefined));
    await expect(place.pull(hub.url)).rejects.toMatchObject({ code: "model.invalid" });
  });

  it.each(["../outside.json", "/etc/outside", "onnx/../../outside", "a\\b", "C:evil", "x/\u0000"])(
    "is refused for the path %j before a byte is fetched",
    async (path) => {
      await using hub = await startStubHub(repository, modelFiles());
      await using place = await PullPlace.make();
      hub.alsoList([path]);
      await expect(place.pull(hub.url)).rejects.toMatchObject({
        code: "model.invalid",
        message: expect.stringContaining("outside the model's folder"),
      });
      expect(hub.requests.some((request) => request.path.includes("/resolve/"))).toBe(false);
    },
  );

  it.each(["in circles", "to a file"])("is refused when it redirects %s", async (where) => {
    await using hub = await startStubHub(repository, modelFiles());
    await using place = await PullPlace.make();
    const location = where === "in circles" ? "/again" : "file:///etc/passwd";
    hub.behave(({ path }) =>
      path.startsWith("/api/") ? undefined : { kind: "redirect", location },
    );
    await expect(place.pull(hub.url)).rejects.toMatchObject({ code: "model.invalid" });
  });
});

function withoutOnnx(files: Record<string, Buffer>): Record<string, Buffer> {
  return Object.fromEntries(Object.entries(files).filter(([path]) => !path.startsWith("onnx/")));
}

function withoutTokenizer(files: Record<string, Buffer>): Record<string, Buffer> {
  return Object.fromEntries(Object.entries(files).filter(([path]) => path !== "tokenizer.json"));
}
