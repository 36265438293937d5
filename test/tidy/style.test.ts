import { describe, expect, it } from "vitest";
import { code, files, textOf } from "./tree.ts";

const longestFile = 400;

type Reader = (path: string) => string;

/** What must not stand in TypeScript, and whether strings and comments count. */
const forbidden: readonly (readonly [what: string, pattern: RegExp, read: Reader])[] = [
  ["a default export", /^export default\b/m, codeOf],
  ["the type `any`", /(?::|<|\bas|\||=>)\s*any\b(?!\s*\()/, codeOf],
  // Written so that this file does not hold it itself.
  ["a task left for later", new RegExp(`\\b(?:TO${"DO"}|FIX${"ME"}|X${"XX"})\\b`), textOf],
  ["a test that runs alone", /\b(?:it|test|describe)\s*\.\s*only\b/, codeOf],
  ["a test that never runs", /\b(?:it|test|describe)\s*\.\s*(?:skip|todo)\b(?!If)/, codeOf],
  ["an enum", /^(?:export )?(?:const )?enum\s/m, codeOf],
  ["a check switched off", new RegExp(`@ts-${"(?:ignore|nocheck|expect-error)"}`), textOf],
];

const configurations = /^vitest.*\.config\.ts$/;

describe("the code", () => {
  for (const [what, pattern, read] of forbidden) {
    it(`holds nowhere ${what}`, () => {
      const wrong = code.filter((path) => !configurations.test(path) && pattern.test(read(path)));
      expect(wrong).toEqual([]);
    });
  }

  it("has no file beyond 400 lines", () => {
    const long = code
      .map((path) => [path, textOf(path).split("\n").length - 1] as const)
      .filter(([, lines]) => lines > longestFile);
    expect(long).toEqual([]);
  });

  it("has kebab-case names", () => {
    const kebab = /^[a-z0-9]+(?:-[a-z0-9]+)*(?:\.[a-z0-9]+(?:-[a-z0-9]+)*)*$/;
    const rooms = /^(?:src|connectors|test|bench|scripts|pipelines|docs|schema)\//;
    const wrong = files
      .filter((path) => rooms.test(path) && !path.includes("/fixtures/"))
      .filter((path) => !path.split("/").every((part) => kebab.test(part)));
    expect(wrong).toEqual([]);
  });

  it("calls no file by a name that says nothing", () => {
    const empty = /(?:^|[/-])(?:utils?|helpers?|misc|common|manager)\.ts$/;
    expect(code.filter((path) => empty.test(path))).toEqual([]);
  });

  it("uses no non-null assertion in what is shipped", () => {
    const assertion = /[\w)\]]!(?=[.;,)\]]|$)/m;
    const shipped = code.filter((path) => /^(?:src|connectors)\//.test(path));
    expect(shipped.filter((path) => assertion.test(codeOf(path)))).toEqual([]);
  });

  it("declares nothing with `using` in what is shipped: the oldest Node.js cannot read it", () => {
    const using = /^\s*(?:await )?using \w+ = /m;
    expect(using.test("  await using file = open();")).toBe(true);
    const shipped = code.filter((path) => /^(?:src|connectors)\//.test(path));
    expect(shipped.filter((path) => using.test(codeOf(path)))).toEqual([]);
  });

  it("would notice each of these", () => {
    const samples = [
      "export default 1;",
      "const x: any = 1;",
      `// TO${"DO"}: later`,
      `it.${"only"}("x")`,
      `describe.${"skip"}("x")`,
      "export enum Color { Red }",
      `// @ts-${"ignore"}`,
    ];
    for (const [index, [what, pattern]] of forbidden.entries()) {
      expect(pattern.test(samples[index] ?? ""), what).toBe(true);
    }
  });
});

describe("the repository", () => {
  const readable = files.filter((path) =>
    /\.(?:ts|js|mjs|json|md|ya?ml|sh|txt|toml)$|\/[^./]+$/.test(path),
  );

  it("names no path of a machine", () => {
    const machine = new RegExp(
      `(?:^|[\\s"'\`(=:])/(?:${["home", "Users", "root", "work"].join("|")})/[a-z]|[A-Z]:\\\\Users\\\\`,
      "m",
    );
    const checked = readable.filter((path) => path !== "test/tidy/style.test.ts");
    expect(checked.filter((path) => machine.test(textOf(path)))).toEqual([]);
  });

  it("locks packages only from the public registry", () => {
    const lock: unknown = JSON.parse(textOf("package-lock.json"));
    const { packages = {} } = lock as { packages?: Record<string, { resolved?: string }> };
    const strange = Object.entries(packages)
      .map(([name, { resolved }]) => [name, resolved] as const)
      .filter(([, resolved]) => resolved?.startsWith("https://registry.npmjs.org/") === false);
    expect(strange).toEqual([]);
  });
});

/** The text of a file without strings, templates and comments. */
function codeOf(path: string): string {
  return textOf(path)
    .replaceAll(/\/\*[\s\S]*?\*\//g, "")
    .replaceAll(/"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`/g, '""')
    .replaceAll(/\/\/.*$/gm, "");
}
