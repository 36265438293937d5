import { cp, readFile, readdir, rename, stat, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { modelFiles, PullPlace, repository } from "../support/pull-place.ts";
import { startStubHub } from "../support/stub-hub.ts";

const weights = "onnx/model.onnx_data";

describe("a download", () => {
  it("goes on where the connection broke, as often as it takes", async () => {
    const files = modelFiles();
    await using hub = await startStubHub(repository, files);
    await using place = await PullPlace.make();
    hub.behave(({ path, host }) =>
      host === "store" && path.includes(weights) ? { kind: "cut-off", after: 70_000 } : undefined,
    );
    await place.pull(hub.url);
    expect(await readFile(join(place.folder, weights))).toEqual(files[weights]);
    const ranges = hub.requests
      .filter(({ path, host }) => host === "store" && path.includes(weights))
      .map(({ range }) => Number(/\d+/.exec(range ?? "0")?.[0]));
    expect(ranges[0]).toBe(0);
    expect(ranges.length).toBeGreaterThan(4);
    expect(ranges).toEqual(ranges.toSorted((one, other) => one - other));
    expect(place.there).toBe(
      place.chosen.reduce((sum, path) => sum + (files[path]?.length ?? 0), 0),
    );
  });

  it("goes on after an answer that ends early and claims to be whole", async () => {
    await using hub = await startStubHub(repository, modelFiles());
    await using place = await PullPlace.make();
    let once = true;
    hub.behave(({ path, host }) => {
      if (host !== "store" || !path.includes(weights) || !once) return undefined;
      once = false;
      return { kind: "short", after: 1_000 };
    });
    await place.pull(hub.url);
    expect(hub.requests.some(({ range }) => range === "bytes=1000-")).toBe(true);
  });

  it("that stands still is given up in time, and tried again from there", async () => {
    await using hub = await startStubHub(repository, modelFiles());
    await using place = await PullPlace.make();
    let once = true;
    hub.behave(({ path, host }) => {
      if (host !== "store" || !path.includes(weights) || !once) return undefined;
      once = false;
      return { kind: "stall", after: 5_000 };
    });
    await place.pull(hub.url, { patienceMs: 150 });
    expect(hub.requests.some(({ range }) => range === "bytes=5000-")).toBe(true);
  });

  it("that always stands still fails by name, and what came stays for the next time", async () => {
    await using hub = await startStubHub(repository, modelFiles());
    await using place = await PullPlace.make();
    hub.behave(({ path, host, range }) =>
      host === "store" && path.includes(weights)
        ? { kind: "stall", after: range === undefined ? 5_000 : 0 }
        : undefined,
    );
    await expect(place.pull(hub.url, { patienceMs: 60 })).rejects.toMatchObject({
      code: "model.failed",
      message: expect.stringContaining(`\`${weights}\``),
    });
    hub.behave(() => undefined);
    const before = hub.requests.length;
    await place.pull(hub.url);
    const later = hub.requests.slice(before).filter(({ host }) => host === "store");
    expect(later.map(({ range }) => range)).toEqual(["bytes=5000-"]);
  });

  it.each(["ignore-range", "other-range"] as const)(
    "is right although the server answers with %s",
    async (kind) => {
      const files = modelFiles();
      await using hub = await startStubHub(repository, files);
      await using place = await PullPlace.make();
      let calls = 0;
      hub.behave(({ path, host }) => {
        if (host !== "store" || !path.includes(weights)) return undefined;
        calls += 1;
        return calls === 1 ? { kind: "cut-off", after: 9_000 } : calls === 2 ? { kind } : undefined;
      });
      await place.pull(hub.url);
      expect(await readFile(join(place.folder, weights))).toEqual(files[weights]);
    },
  );

  it.each(["other-content", "longer"] as const)(
    "that brings %s is deleted and refused by name, and the rest stays",
    async (kind) => {
      await using hub = await startStubHub(repository, modelFiles());
      await using place = await PullPlace.make();
      hub.behave(({ path, host }) =>
        host === "store" && path.includes(weights) ? { kind } : undefined,
      );
      await expect(place.pull(hub.url)).rejects.toMatchObject({
        code: "refused.checksum",
        message: expect.stringContaining(`\`${weights}\``),
      });
      const staging = `${place.folder}.sluice-partial`;
      const left = await readdir(staging, { recursive: true });
      const parts = left.filter((path) => path.startsWith(weights));
      const sizes = parts.map(async (path) => (await stat(join(staging, path))).size);
      expect((await Promise.all(sizes)).every((size) => size === 0)).toBe(true);
      // Four come at once, the largest last: two of six were whole when it began.
      expect(left.filter((path) => path.endsWith(".json")).length).toBeGreaterThanOrEqual(2);
    },
  );

  it("is right also when what was there from earlier is not", async () => {
    const files = modelFiles();
    await using hub = await startStubHub(repository, files);
    await using place = await PullPlace.make();
    hub.behave(({ path, host, range }) =>
      host === "store" && path.includes(weights)
        ? { kind: "stall", after: range === undefined ? 5_000 : 0 }
        : undefined,
    );
    await place.pull(hub.url, { patienceMs: 60 }).catch(() => undefined);
    const staging = join(`${place.folder}.sluice-partial`, "onnx");
    const [part = ""] = (await readdir(staging)).filter((name) =>
      name.startsWith("model.onnx_data"),
    );
    await writeFile(join(staging, part), Buffer.alloc(5_000));
    hub.behave(() => undefined);
    await place.pull(hub.url);
    expect(await readFile(join(place.folder, weights))).toEqual(files[weights]);
  });

  it("leaves on abort what can be resumed, and the folder as it was", async () => {
    await using hub = await startStubHub(repository, modelFiles());
    await using place = await PullPlace.make();
    const controller = new AbortController();
    hub.behave(({ path, host }) => {
      if (host !== "store" || !path.includes(weights)) return undefined;
      queueMicrotask(() => controller.abort(new Error("stopped by a test")));
      return { kind: "stall", after: 5_000 };
    });
    await expect(place.pull(hub.url, { signal: controller.signal })).rejects.toThrow("by a test");
    expect((await readdir(place.root)).toSorted()).toEqual(["model.sluice-partial", "sluice"]);
  });
});

describe("the folder of a model", () => {
  it("is refused when somebody else filled it", async () => {
    await using hub = await startStubHub(repository, modelFiles());
    await using place = await PullPlace.make();
    await place.pull(hub.url);
    await truncate(join(place.folder, "sluice-model.json"));
    await expect(place.pull(hub.url)).rejects.toMatchObject({
      code: "config.invalid",
      message: expect.stringContaining("sluice did not put them there"),
    });
  });

  it("is refused before anything is fetched when the disk has no room for the files", async () => {
    await using hub = await startStubHub(repository, modelFiles());
    await using place = await PullPlace.make();
    hub.alsoList(["onnx/model.onnx_data_1"], 2 ** 52);
    await expect(place.pull(hub.url)).rejects.toMatchObject({
      code: "model.full",
      message: expect.stringContaining("4,294,967,2"),
    });
    expect(hub.requests.some(({ path }) => path.includes("/resolve/"))).toBe(false);
  });

  it("is told when it cannot be made", async () => {
    await using hub = await startStubHub(repository, modelFiles());
    await using place = await PullPlace.make();
    await writeFile(join(place.root, "file"), "");
    const into = join(place.root, "file", "model");
    await expect(place.pull(hub.url, { into })).rejects.toMatchObject({
      code: "model.unwritable",
      message: expect.stringContaining("ENOTDIR"),
    });
  });

  it("is refused when it holds another model", async () => {
    await using hub = await startStubHub(repository, modelFiles());
    await using place = await PullPlace.make();
    await place.pull(hub.url);
    await using other = await startStubHub("someone/else", modelFiles(2));
    await expect(place.pull(other.url, { name: "someone/else" })).rejects.toMatchObject({
      code: "config.invalid",
      message: expect.stringContaining(repository),
    });
  });

  it("keeps all its files when a process died while it put the new one in its place", async () => {
    await using hub = await startStubHub(repository, modelFiles());
    await using place = await PullPlace.make();
    await place.pull(hub.url);
    await place.pull(hub.url, { wanted: { precision: "q8", patterns: [] } });
    await cp(place.folder, `${place.folder}.sluice-partial`, { recursive: true });
    await rename(place.folder, `${place.folder}.sluice-old`);
    expect(await place.pull(hub.url)).toMatchObject({ fetched: 0 });
    expect(await readdir(join(place.folder, "onnx"))).toContain("model_quantized.onnx");
    expect((await readdir(place.root)).toSorted()).toEqual(["model", "sluice"]);
  });

  it("is worked on by one process at a time", async () => {
    await using hub = await startStubHub(repository, modelFiles());
    await using place = await PullPlace.make();
    const asked = Promise.withResolvers<void>();
    hub.behave(({ path }) => {
      if (!path.includes(weights)) return undefined;
      asked.resolve();
      return { kind: "cut-off", after: 100 };
    });
    const controller = new AbortController();
    const first = place.pull(hub.url, { signal: controller.signal }).catch(() => undefined);
    await asked.promise;
    await expect(place.pull(hub.url)).rejects.toMatchObject({ code: "state.locked" });
    controller.abort();
    await first;
    hub.behave(() => undefined);
    expect(await place.pull(hub.url)).toHaveProperty("fetched");
  });
});
