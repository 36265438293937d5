import { existsSync } from "node:fs";
import { cp, mkdir, readdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { readManifest } from "../../../../src/models/manifest.ts";
import { pulledModels } from "../../../../src/models/pulled-models.ts";
import { modelFiles, PullPlace, repository } from "../support/pull-place.ts";
import { startStubHub } from "../support/stub-hub.ts";

const fp16 = { precision: "fp16", patterns: [] } as const;
const q8 = { precision: "q8", patterns: [] } as const;

async function fill(folder: string, files: Readonly<Record<string, Buffer>>): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content);
  }
}

describe("files that somebody put beside a model's", () => {
  it("stay when another precision, or another commit, is pulled", async () => {
    await using hub = await startStubHub(repository, modelFiles());
    await using place = await PullPlace.make();
    await place.pull(hub.url);
    await fill(place.folder, {
      "notes.txt": Buffer.from("mine"),
      "onnx/own.onnx": Buffer.from("o"),
    });
    await place.pull(hub.url, { wanted: fp16 });
    hub.move("b".repeat(40), modelFiles(2));
    await place.pull(hub.url);
    expect(await readFile(join(place.folder, "notes.txt"), "utf8")).toBe("mine");
    expect(await readFile(join(place.folder, "onnx/own.onnx"), "utf8")).toBe("o");
    const paths = (await readManifest(place.folder))?.files.map(({ path }) => path);
    expect(paths).not.toContain("notes.txt");
    expect(await readdir(join(place.folder, "onnx"))).not.toContain("model_fp16.onnx");
  });

  it("and have the name of one that is to come are not replaced, and nothing is fetched", async () => {
    await using hub = await startStubHub(repository, modelFiles());
    await using place = await PullPlace.make();
    await place.pull(hub.url);
    await fill(place.folder, { "onnx/model_fp16.onnx": Buffer.from("mine") });
    const before = hub.requests.length;
    await expect(place.pull(hub.url, { wanted: fp16 })).rejects.toMatchObject({
      code: "config.invalid",
      message: expect.stringContaining("`onnx/model_fp16.onnx`"),
    });
    expect(await readFile(join(place.folder, "onnx/model_fp16.onnx"), "utf8")).toBe("mine");
    const asked = hub.requests.slice(before).filter(({ path }) => path.includes("/resolve/"));
    expect(asked).toEqual([]);
  });

  it("stay in folders beside it, whatever they are called", async () => {
    await using hub = await startStubHub(repository, modelFiles());
    await using place = await PullPlace.make();
    const beside = [".old", ".partial", ".bak"].map((suffix) => `${place.folder}${suffix}`);
    for (const folder of beside) await fill(folder, { "mine.txt": Buffer.from("mine") });
    await place.pull(hub.url);
    await place.pull(hub.url, { wanted: fp16 });
    for (const folder of beside) expect(existsSync(join(folder, "mine.txt"))).toBe(true);
  });
});

describe("a model from a folder that tells no commit", () => {
  it("keeps the precision that is there when another one comes from the same model", async () => {
    await using place = await PullPlace.make();
    const from = join(place.root, "brought");
    await fill(from, modelFiles());
    await place.pull("", { from });
    await place.pull("", { from, wanted: q8 });
    const paths = (await readManifest(place.folder))?.files.map(({ path }) => path);
    expect(paths).toEqual(
      expect.arrayContaining([
        "onnx/model.onnx",
        "onnx/model.onnx_data",
        "onnx/model_quantized.onnx",
      ]),
    );
    expect((await readdir(join(place.folder, "onnx"))).toSorted()).toEqual([
      "model.onnx",
      "model.onnx_data",
      "model_quantized.onnx",
    ]);
  });

  it("does not keep it when its tokenizer, its configuration or its size is another", async () => {
    for (const path of ["tokenizer.json", "config.json", "onnx/model.onnx_data"]) {
      await using place = await PullPlace.make();
      const from = join(place.root, "brought");
      await fill(from, modelFiles());
      await place.pull("", { from });
      await writeFile(join(from, path), "another");
      await place.pull("", { from, wanted: q8 });
      expect(await readdir(join(place.folder, "onnx"))).toEqual(["model_quantized.onnx"]);
    }
  });
});

describe("a pull that died while it put the model in its place", () => {
  it("leaves nothing that takes room or is listed as a model", async () => {
    await using hub = await startStubHub(repository, modelFiles());
    await using place = await PullPlace.make();
    const environment = { XDG_CACHE_HOME: place.root };
    const into = join(place.root, "sluice/models/someone--tiny-embedding/main");
    await place.pull(hub.url, { into });
    await cp(into, `${into}.sluice-old`, { recursive: true });
    expect(await pulledModels(environment)).toHaveLength(1);
    expect(await place.pull(hub.url, { into })).toMatchObject({ fetched: 0 });
    expect(await readdir(dirname(into))).toEqual(["main"]);
  });

  it("gives the folder back that it had moved away, when what was to come is lost", async () => {
    await using hub = await startStubHub(repository, modelFiles());
    await using place = await PullPlace.make();
    await place.pull(hub.url);
    await rename(place.folder, `${place.folder}.sluice-old`);
    expect(await place.pull(hub.url)).toMatchObject({ fetched: 0 });
    expect((await readdir(place.root)).toSorted()).toEqual(["model", "sluice"]);
  });
});

describe("a folder that cannot be replaced as a whole", () => {
  it("is refused before anything is fetched when the command runs in it", async () => {
    await using hub = await startStubHub(repository, modelFiles());
    await using place = await PullPlace.make();
    await mkdir(join(place.folder, "inner"), { recursive: true });
    for (const folder of [place.folder, join(place.folder, "inner")]) {
      const spy = vi.spyOn(process, "cwd").mockReturnValue(folder);
      try {
        await expect(place.pull(hub.url)).rejects.toMatchObject({
          code: "config.invalid",
          message: expect.stringContaining("/model/NAME`"),
        });
      } finally {
        spy.mockRestore();
      }
    }
    expect(hub.requests.some(({ path }) => path.includes("/resolve/"))).toBe(false);
  });

  it.runIf(existsSync("/dev/shm"))("is refused when another disk is mounted there", async () => {
    await using hub = await startStubHub(repository, modelFiles());
    await using place = await PullPlace.make();
    await expect(place.pull(hub.url, { into: "/dev/shm" })).rejects.toMatchObject({
      code: "config.invalid",
      message: expect.stringContaining("`--into /dev/shm/NAME`"),
    });
    expect(hub.requests.some(({ path }) => path.includes("/resolve/"))).toBe(false);
  });
});
