import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  brief,
  codeOf,
  collect,
  documentsOf,
  idsOf,
  list,
  makeFolder,
  makeSource,
  never,
  write,
} from "./fixture.ts";

/** Runs as somebody who may not read everything: permissions mean nothing to root. */
async function asNobody<T>(work: () => Promise<T>): Promise<T> {
  const isRoot = process.geteuid?.() === 0;
  if (isRoot) process.seteuid?.(65_534);
  try {
    return await work();
  } finally {
    if (isRoot) process.seteuid?.(0);
  }
}

test("a source says where and for what it looks", () => {
  const settings = { root: "docs", include: ["**/*.md", "x"] };
  expect(makeSource(settings, { folder: "/srv" }).whenEmpty).toBe(
    "No file in `/srv/docs` matches `**/*.md`, `x`. Check `root` and `include`.",
  );
  expect(makeSource({ ...settings, exclude: ["old"] }, { folder: "/srv" }).whenEmpty).toContain(
    "or `exclude` leaves out all that do. Check `root`, `include` and `exclude`.",
  );
});

describe("a listing", () => {
  test("is complete, ascending by id, and says what is known without opening a file", async () => {
    const root = makeFolder({
      "b.md": "b",
      "a/x.txt": "xx",
      "a.md": "",
      "a-b/y.MD": "y",
      "a/b/z.rst": "z",
    });
    const events = await list(makeSource({ root }));
    expect(brief(events)).toEqual([
      "listing",
      "a-b/y.MD",
      "a.md",
      "a/b/z.rst",
      "a/x.txt",
      "b.md",
      "end complete",
    ]);
    expect(documentsOf(events).map((document) => document.mediaType)).toEqual([
      "text/markdown",
      "text/markdown",
      "text/x-rst",
      "text/plain",
      "text/markdown",
    ]);
    expect(documentsOf(events)[3]).toMatchObject({
      metadata: {},
      content: { kind: "bytes", sizeBytes: 2 },
    });
  });

  test("of an empty folder is complete and empty", async () => {
    expect(brief(await list(makeSource({ root: makeFolder() })))).toEqual([
      "listing",
      "end complete",
    ]);
  });

  test("law: it lists exactly the files that are there and selected, and lookup agrees", async () => {
    const name = fc.constantFrom(
      "a",
      "b",
      "B",
      "é",
      "é",
      "x.md",
      "y.txt",
      "z.png",
      ".h",
      "q\"'.md",
      "😀.md",
      "n\n.md",
      "b\\c.md",
      "#?%.md",
      " .md",
    );
    const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((names) => names.join("/"));
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(path, { maxLength: 12 }), async (paths) => {
        const files = paths.filter((file) => !paths.some((other) => other.startsWith(`${file}/`)));
        const root = makeFolder(Object.fromEntries(files.map((file) => [file, file])));
        const expected = files
          .filter((file) => /\.(?:md|txt)$/.test(file) && !/(?:^|\/)\./.test(file))
          .toSorted((left, right) => (left < right ? -1 : 1));
        const source = makeSource({ root });
        const listed = documentsOf(await list(source));
        expect(listed.map((document) => document.id)).toEqual(expected);
        const found = await collect(source.lookup(files, never));
        const revisions = (documents: typeof listed): string[][] =>
          documents.map(({ id, revision, uri = "" }) => [id, revision, uri]).toSorted();
        expect(revisions(documentsOf(found))).toEqual(revisions(listed));
        expect(found).toHaveLength(files.length);
      }),
      { numRuns: 60 },
    );
  });
});

describe("selection", () => {
  const files = {
    "readme.md": "",
    "docs/a.md": "",
    "docs/drafts/b.md": "",
    "docs/deep/drafts/c.md": "",
    ".github/d.md": "",
    ".git/e.md": "",
    "docs/.hidden.md": "",
    "node_modules/p/f.md": "",
    "src/g.ts": "",
    "line\nbreak/h.md": "",
  };

  test.each<[string, Record<string, unknown>, string[]]>([
    [
      "the default leaves out hidden names, node_modules and unknown formats",
      {},
      ["docs/a.md", "docs/deep/drafts/c.md", "docs/drafts/b.md", "line\nbreak/h.md", "readme.md"],
    ],
    ["a glob without a folder means the root alone", { include: ["*.md"] }, ["readme.md"]],
    [
      "a plain folder means everything in it",
      { include: ["docs"], exclude: ["**/drafts"] },
      ["docs/a.md"],
    ],
    [
      "a folder with a slash means everything in it",
      { include: ["./docs/"], exclude: ["docs/drafts/", "docs/deep/**"] },
      ["docs/a.md"],
    ],
    ["a hidden folder is read when it is named", { include: [".github/**"] }, [".github/d.md"]],
    [
      "node_modules is read when it is named",
      { include: ["node_modules/**/*.md"] },
      ["node_modules/p/f.md"],
    ],
    [
      "a hidden file is read when its dot is named",
      { include: ["docs/.*.md"] },
      ["docs/.hidden.md"],
    ],
    ["other formats are read when they are named", { include: ["src/*.ts"] }, ["src/g.ts"]],
    [
      "names with line ends match as others do",
      { include: ["**/*.md"], exclude: ["[!l]*"] },
      ["line\nbreak/h.md"],
    ],
    ["what is excluded wins", { include: ["docs/a.md"], exclude: ["**/a.*"] }, []],
  ])("%s", async (_name, config, expected) => {
    expect(await idsOf({ root: makeFolder(files), ...config })).toEqual(expected);
  });

  test.each([
    [{ root: "" }],
    [{ root: ".", include: [] }],
    [{ root: ".", include: ["/abs/*.md"] }],
    [{ root: ".", include: ["../*.md"] }],
    [{ root: ".", include: ["!x.md"] }],
    [{ root: ".", exclude: ["C:\\x"] }],
    [{ root: ".", recursive: true }],
    [{ root: "a\0b" }],
  ])("a configuration that cannot be meant is refused: %j", (config) => {
    expect(() => makeSource(config)).toThrow();
  });
});

describe("what is not a plain file below the root", () => {
  test("links are not followed: no loop, no file twice, nothing outside", async () => {
    const outside = makeFolder({ "secret.md": "s", "sub/t.md": "t" });
    const root = makeFolder({ "a.md": "a", "d/b.md": "b" });
    symlinkSync(root, join(root, "loop"));
    symlinkSync(join(root, "a.md"), join(root, "again.md"));
    symlinkSync(join(outside, "secret.md"), join(root, "secret.md"));
    symlinkSync(outside, join(root, "out"));
    symlinkSync("nowhere", join(root, "broken.md"));
    expect(brief(await list(makeSource({ root })))).toEqual([
      "listing",
      "a.md",
      "d/b.md",
      "end complete",
    ]);
    const wanted = ["loop/a.md", "again.md", "secret.md", "out/secret.md", "broken.md"];
    const found = await collect(makeSource({ root }).lookup(wanted, never));
    expect(found.map((event) => event.kind)).toEqual(wanted.map(() => "deletion"));
  });

  test("a root that is a link itself is read", async () => {
    const root = join(makeFolder(), "link");
    symlinkSync(makeFolder({ "a.md": "a" }), root);
    expect(await idsOf({ root })).toEqual(["a.md"]);
  });

  test("a folder named x.md is a folder; pipes, sockets and devices are refused without being opened", async () => {
    const root = makeFolder({ "x.md/inner.md": "i", "ok.md": "" });
    execFileSync("mkfifo", [join(root, "pipe.md"), join(root, "pipe.bin")]);
    const server = createServer().listen(join(root, "socket.md"));
    await new Promise((resolve) => server.once("listening", resolve));
    expect(brief(await list(makeSource({ root })))).toEqual([
      "listing",
      "ok.md",
      "failure pipe.md source.not-a-file",
      "failure socket.md source.not-a-file",
      "x.md/inner.md",
      "end complete",
    ]);
    const found = await collect(makeSource({ root }).lookup(["pipe.md", "x.md"], never));
    expect(found.map((event) => event.kind)).toEqual(["failure", "deletion"]);
    await new Promise((resolve) => server.close(resolve));
  });

  test.skipIf(process.platform !== "linux")(
    "names that are not UTF-8 are failures of their own, never gone, and disturb no other",
    async () => {
      const root = makeFolder({ "ok \uFFFD.md": "" });
      const at = (...bytes: number[]): Buffer =>
        Buffer.concat([Buffer.from(`${root}/`), Buffer.from(bytes)]);
      writeFileSync(at(0x61, 0xe9, 0x2e, 0x6d, 0x64), "latin-1");
      writeFileSync(at(0x61, 0xff, 0x2e, 0x6d, 0x64), "other");
      writeFileSync(at(0xff, 0x2e, 0x70, 0x6e, 0x67), "not selected");
      mkdirSync(at(0xc3, 0x28));
      const source = makeSource({ root });
      expect(brief(await list(source)).toSorted()).toEqual([
        "end complete",
        "failure a\\xE9.md source.name",
        "failure a\\xFF.md source.name",
        "failure prefix \\xC3(/ source.name",
        "listing",
        "ok \uFFFD.md",
      ]);
      const [found] = await collect(source.lookup(["a\\xE9.md"], never));
      expect(found).toMatchObject({ kind: "failure", fault: { code: "source.name" } });
    },
  );

  test("a folder that cannot be read makes its prefix unknown, and the rest is listed", async () => {
    const root = makeFolder({ "a.md": "", "closed/b.md": "", "z.md": "" });
    chmodSync(root, 0o755);
    chmodSync(join(root, "closed"), 0o000);
    const source = makeSource({ root });
    const events = await asNobody(() => list(source));
    const found = await asNobody(() => collect(source.lookup(["closed/b.md"], never)));
    expect(brief(events)).toEqual([
      "listing",
      "a.md",
      "failure prefix closed/ source.unreadable",
      "z.md",
      "end complete",
    ]);
    expect(found).toMatchObject([{ kind: "failure", fault: { code: "source.unreadable" } }]);
  });

  test("files that a folder names but does not let describe are failures", async () => {
    const root = makeFolder({ "named/b.md": "" });
    chmodSync(root, 0o755);
    chmodSync(join(root, "named"), 0o444);
    expect(brief(await asNobody(() => list(makeSource({ root }))))).toEqual([
      "listing",
      "failure named/b.md source.unreadable",
      "end complete",
    ]);
  });
});

describe("a root that is not there is an error, never an empty folder", () => {
  test("missing, a file, unreadable: source.unreachable, and no end", async () => {
    const root = makeFolder({ "file.md": "", "closed/a.md": "" });
    chmodSync(root, 0o755);
    chmodSync(join(root, "closed"), 0o000);
    for (const place of ["missing", "file.md", "file.md/x", "closed"]) {
      const source = makeSource({ root: join(root, place) });
      const refusals = [
        () => list(source),
        () => source.check(never),
        // Looking up needs no more than the way to the file.
        ...(place === "closed" ? [] : [() => collect(source.lookup(["a.md"], never))]),
      ];
      for (const work of refusals) {
        expect(await codeOf(asNobody<unknown>(work)), place).toBe("component source.unreachable");
      }
    }
  });

  test.each(["taken away", "replaced by another"])(
    "a root %s in the middle never ends complete",
    async (how) => {
      const parent = makeFolder({ "root/a/1.md": "", "root/b/2.md": "", "root/c/3.md": "" });
      const root = join(parent, "root");
      const events: string[] = [];
      const listing = async (): Promise<void> => {
        for await (const event of makeSource({ root }).read({ follow: false }, never)) {
          events.push(...brief([event]));
          if (event.kind !== "document" || events.length > 2) continue;
          renameSync(root, join(parent, "gone"));
          if (how !== "taken away") write(parent, { "root/a/1.md": "", "root/b/2.md": "" });
        }
      };
      expect(await codeOf(listing())).toBe("component source.unreachable");
      expect(events).not.toContain("end complete");
    },
  );

  test("a deletion is not answered once the root is gone", async () => {
    const root = makeFolder({ "a.md": "" });
    const answers = makeSource({ root }).lookup(["b.md", "c.md"], never)[Symbol.asyncIterator]();
    expect((await answers.next()).value).toEqual({ kind: "deletion", documentId: "b.md" });
    rmSync(root, { recursive: true });
    expect(await codeOf(answers.next())).toBe("component source.unreachable");
  });
});
