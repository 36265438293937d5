import { mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { readManifest } from "../../../../src/models/manifest.ts";
import { modelFiles, PullPlace, repository } from "../support/pull-place.ts";
import { startStubHub } from "../support/stub-hub.ts";

async function fill(folder: string, files: Readonly<Record<string, Buffer>>): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content);
  }
}

describe("pulling from a folder", () => {
  it("copies what an embedder needs, also through links as other programs' caches have them", async () => {
    await using place = await PullPlace.make();
    const files = modelFiles();
    const commit = "c".repeat(40);
    const snapshot = join(place.root, "cache", commit);
    await fill(join(place.root, "blobs"), files);
    for (const path of Object.keys(files)) {
      await mkdir(dirname(join(snapshot, path)), { recursive: true });
      await symlink(join(place.root, "blobs", path), join(snapshot, path));
    }
    const pulled = await place.pull("", { from: snapshot });
    expect(pulled).toMatchObject({ fetched: 6, graph: "onnx/model.onnx" });
    expect(await readFile(join(place.folder, "onnx/model.onnx_data"))).toEqual(
      files["onnx/model.onnx_data"],
    );
    expect(await readManifest(place.folder)).toMatchObject({ commit, revision: "main" });
  });

  it("verifies the hashes of a folder that was pulled elsewhere, and keeps its commit", async () => {
    await using hub = await startStubHub(repository, modelFiles());
    await using elsewhere = await PullPlace.make();
    await using place = await PullPlace.make();
    await elsewhere.pull(hub.url);
    await place.pull("", { from: elsewhere.folder });
    expect(await readManifest(place.folder)).toMatchObject({ commit: hub.commit });

    await using other = await PullPlace.make();
    const size = modelFiles()["onnx/model.onnx_data"]?.length ?? 0;
    await writeFile(join(elsewhere.folder, "onnx/model.onnx_data"), Buffer.alloc(size));
    await expect(other.pull("", { from: elsewhere.folder })).rejects.toMatchObject({
      code: "refused.checksum",
      message: expect.stringContaining("`onnx/model.onnx_data`"),
    });
    expect(await readManifest(other.folder)).toBeUndefined();
  });

  it("refuses a folder that is not there, holds another model, or is not the pinned one", async () => {
    await using hub = await startStubHub(repository, modelFiles());
    await using elsewhere = await PullPlace.make();
    await using place = await PullPlace.make();
    await expect(place.pull("", { from: join(place.root, "none") })).rejects.toMatchObject({
      code: "model.not-found",
    });
    await elsewhere.pull(hub.url);
    await expect(
      place.pull("", { from: elsewhere.folder, name: "someone/else" }),
    ).rejects.toMatchObject({ code: "config.invalid" });
    const pinned = join(place.root, "c25a394dd583836952667c12f008335071b3f43d");
    await fill(pinned, modelFiles());
    await expect(
      place.pull("", { from: pinned, name: "Qwen/Qwen3-Embedding-0.6B" }),
    ).rejects.toMatchObject({
      code: "refused.checksum",
      // Several come at once: whichever is seen first.
      message: expect.stringMatching(/`\w+\.json` from the folder/),
    });
  });

  it("takes a folder of one's own making for a catalogued model, which has no commit to be held to", async () => {
    await using place = await PullPlace.make();
    await fill(join(place.root, "mine"), modelFiles());
    const name = "Qwen/Qwen3-Embedding-0.6B";
    await place.pull("", { from: join(place.root, "mine"), name });
    const manifest = await readManifest(place.folder);
    expect(manifest).toMatchObject({ model: name });
    expect(manifest?.commit).toBeUndefined();
  });
});
