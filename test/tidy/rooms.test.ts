import { describe, expect, it } from "vitest";
import { code, files, filesLike, importsOf, reachableFrom, textOf } from "./tree.ts";

const leaves = ["flow", "records", "tokenizer", "embedding", "models", "sqlite"];
const stores = ["dimensions", "state", "cache", "config"];
const below = ["contracts", "faults"];

/** What each room of `src` may import besides itself. Connectors, the command line and the entry stand below. */
const rooms: Readonly<Record<string, readonly string[]>> = {
  contracts: [],
  faults: ["contracts"],
  ...Object.fromEntries(leaves.map((leaf) => [leaf, [...below, ...leaves]])),
  ...Object.fromEntries(stores.map((store) => [store, [...below, ...leaves, ...stores]])),
  engine: [...below, ...leaves, ...stores],
  testkit: [...below, ...leaves],
  "testkit/simulation": [...below, ...leaves, ...stores, "testkit", "engine"],
  cli: [...below, ...leaves, ...stores, "engine", "entry", "catalog"],
  entry: [...below, ...leaves, ...stores, "engine", "catalog"],
};

describe("the rooms", () => {
  it("import only what stands below them", () => {
    const wrong = code
      .filter((path) => path.startsWith("src/"))
      .flatMap((path) => importsOf(path).map((target) => [path, target] as const))
      .filter(([path, target]) => !mayImport(roomOf(path), roomOf(target)))
      .map(([path, target]) => `${path} imports ${target}`);
    expect(wrong).toEqual([]);
  });

  it("are all known", () => {
    const known = new Set(Object.keys(rooms));
    const unknown = code.filter((path) => path.startsWith("src/") && !known.has(roomOf(path)));
    expect(unknown).toEqual([]);
  });

  it("let connectors import contracts, faults, leaves and their own folder only", () => {
    const allowed = new Set([...below, ...leaves]);
    const wrong = code
      .filter((path) => /^connectors\/[^/]+\/[^/]+\//.test(path))
      .flatMap((path) => importsOf(path).map((target) => [path, target] as const))
      .filter(([path, target]) => roomOf(path) !== roomOf(target) && !allowed.has(roomOf(target)))
      .map(([path, target]) => `${path} imports ${target}`);
    expect(wrong).toEqual([]);
  });

  it("hold no file that nothing leads to", () => {
    const entries = code.filter(
      (path) =>
        path === "src/index.ts" ||
        path === "src/testkit/index.ts" ||
        /^(src\/cli|scripts|bench|examples)\//.test(path),
    );
    const reached = reachableFrom([...entries, "connectors/catalog.ts"]);
    const orphans = code.filter((path) => /^(src|connectors)\//.test(path) && !reached.has(path));
    expect(orphans).toEqual([]);
  });

  it("hold no test support that no test leads to", () => {
    const tests = code.filter((path) => path.endsWith(".test.ts"));
    const reached = reachableFrom(tests);
    const unused = code
      .filter((path) => path.startsWith("test/") && !reached.has(path))
      .filter((path) => !tests.some((test) => starts(test, path)));
    expect(unused).toEqual([]);
  });

  it("would notice a forbidden import", () => {
    expect(mayImport("flow", "engine")).toBe(false);
    expect(mayImport("engine", "cli")).toBe(false);
    expect(mayImport("state", "engine")).toBe(false);
    expect(mayImport("engine", "catalog")).toBe(false);
    expect(mayImport("engine", "connectors/sinks/lancedb")).toBe(false);
    expect(mayImport("testkit", "engine")).toBe(false);
    expect(importsOf("src/contracts/index.ts")).toContain("src/contracts/sink.ts");
  });
});

describe("every connector", () => {
  const folders = new Set(
    files.flatMap((path) => /^connectors\/[^/]+\/[^/]+(?=\/)/.exec(path)?.slice(0, 1) ?? []),
  );

  it("has an `index.ts` that the catalog loads", () => {
    const loaded = importsOf("connectors/catalog.ts");
    const wanted = [...folders].map((folder) => `${folder}/index.ts`);
    expect(wanted.filter((path) => !files.includes(path))).toEqual([]);
    expect(wanted.filter((path) => !loaded.includes(path))).toEqual([]);
  });

  it("has a folder of tests", () => {
    const without = [...folders].filter(
      (folder) => filesLike(`test/${folder}/**/*.test.ts`).length === 0,
    );
    expect(without).toEqual([]);
  });
});

function mayImport(from: string, to: string): boolean {
  return from === to || (rooms[from] ?? []).includes(to);
}

/** `src/flow/gate.ts` is in `flow`, a file of `src` itself in `entry`, a connector in its own folder. */
function roomOf(path: string): string {
  const parts = path.split("/");
  if (path === "connectors/catalog.ts") return "catalog";
  if (parts[0] === "connectors") return parts.slice(0, 3).join("/");
  if (parts[0] !== "src") return `outside (${path})`;
  if (parts.length === 2) return "entry";
  if (parts[1] === "testkit" && parts[2] === "simulation") return "testkit/simulation";
  return parts[1] ?? path;
}

/** Whether a test, or what it imports, starts this program by its name. */
function starts(test: string, program: string): boolean {
  const name = program.split("/").at(-1) ?? program;
  return [...reachableFrom([test])].some((path) => textOf(path).includes(name));
}
