import { chmodSync, renameSync, truncateSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  codeOf,
  collect,
  documentsOf,
  list,
  makeFolder,
  makeSource,
  never,
  write,
} from "./fixture.ts";

describe("lookup", () => {
  test.each([
    "../x.md",
    "a/../../x.md",
    "/etc/hosts",
    "",
    "a//b.md",
    "./a.md",
    "a/.",
    "a\0.md",
    "..",
  ])("refuses %j, which no listing could have given", async (id) => {
    const parent = makeFolder({ "x.md": "outside", "root/a.md": "" });
    const [event] = await collect(makeSource({ root: join(parent, "root") }).lookup([id], never));
    expect(event).toMatchObject({
      kind: "failure",
      documentId: id,
      fault: { code: "source.name" },
    });
  });

  test("answers deletion for what is absent, excluded or hidden, and a document for the rest", async () => {
    const root = makeFolder({ "a.md": "", "b/c.md": "", "x/d.md": "", ".h/e.md": "", "f.png": "" });
    const source = makeSource({ root, exclude: ["x"] });
    const ids = ["a.md", "b/c.md", "x/d.md", ".h/e.md", "f.png", "no.md", "a.md/no.md", "no/no.md"];
    const events = await collect(source.lookup(ids, never));
    expect(events.map((event) => event.kind)).toEqual([
      "document",
      "document",
      ...Array<string>(6).fill("deletion"),
    ]);
  });
});

async function revisionOf(root: string): Promise<string | undefined> {
  return documentsOf(await list(makeSource({ root })))[0]?.revision;
}

describe("revisions", () => {
  test("stay while nothing happens, and change with content, time, size or the file itself", async () => {
    const root = makeFolder({ "a.md": "one" });
    const path = join(root, "a.md");
    const seen = [await revisionOf(root)];
    expect(await revisionOf(root)).toBe(seen[0]);
    const steps = [
      () => writeFileSync(path, "two and more"),
      () => utimesSync(path, 1000, 1000),
      () => chmodSync(path, 0o600),
      () => {
        write(root, { "b.tmp": "two and more" });
        renameSync(join(root, "b.tmp"), path);
      },
    ];
    for (const step of steps) {
      step();
      seen.push(await revisionOf(root));
    }
    expect(new Set(seen).size).toBe(steps.length + 1);
  });

  test("are provisional within two seconds of a change, and when the time lies in the future", async () => {
    const root = makeFolder({ "a.md": "fresh", "b.md": "of the future" });
    utimesSync(join(root, "b.md"), 4e9, 4e9);
    const provisional = async (laterMs: number): Promise<boolean[]> =>
      documentsOf(await list(makeSource({ root }, { laterMs }))).map(
        (document) => document.provisional === true,
      );
    expect(await provisional(0)).toEqual([true, true]);
    expect(await provisional(60_000)).toEqual([false, true]);
    expect(await provisional(-60_000)).toEqual([true, true]);
    // An old modification time alone proves nothing: anybody can set it.
    utimesSync(join(root, "a.md"), 1000, 1000);
    expect((await provisional(0))[0]).toBe(true);
  });
});

describe("identity and uri", () => {
  test("are relative to the pipeline's folder, so that a project can move", async () => {
    const project = makeFolder({ "docs/a b/#1?.md": "", "pipelines/x.yaml": "" });
    for (const root of ["../docs", "../docs/", "./../docs"]) {
      const source = makeSource({ root }, { folder: join(project, "pipelines") });
      expect(source.identity).toBe("../docs");
      expect(documentsOf(await list(source))[0]?.uri).toBe("../docs/a%20b/%231%3F.md");
    }
    expect(makeSource({ root: "." }, { folder: project }).identity).toBe(".");
  });

  test("are absolute when the root is", async () => {
    const root = makeFolder({ "a.md": "" });
    const source = makeSource({ root }, { folder: "/somewhere" });
    expect(source.identity).toBe(root);
    expect(documentsOf(await list(source))[0]?.uri).toBe(`file://${root}/a.md`);
  });
});

test("a listing stops on abort and on close", async () => {
  const root = makeFolder({ "a.md": "", "b/c.md": "" });
  const controller = new AbortController();
  const reason = new Error("stop");
  const aborted = async (): Promise<void> => {
    const source = makeSource({ root });
    for await (const event of source.read({ follow: false }, controller.signal)) {
      if (event.kind === "listing") controller.abort(reason);
    }
  };
  await expect(aborted()).rejects.toBe(reason);
  const source = makeSource({ root });
  await source.close();
  await source.close();
  expect(await codeOf(list(source))).toBe("component aborted");
});

test("a 5 GB file is listed without being read", async () => {
  const root = makeFolder({ "big.md": "" });
  truncateSync(join(root, "big.md"), 5 * 1024 ** 3);
  const [document] = documentsOf(await list(makeSource({ root })));
  expect(document?.content.sizeBytes).toBe(5 * 1024 ** 3);
});
