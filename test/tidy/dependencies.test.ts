import { describe, expect, it } from "vitest";
import { textOf } from "./tree.ts";

const page = "docs/dependencies.md";

describe("the page of dependencies", () => {
  it("has exactly one line for each package that package.json names", () => {
    const named = [...textOf(page).matchAll(/^- `([^`]+)` — /gm)].map(([, name]) => name);
    const manifest = JSON.parse(textOf("package.json")) as Record<string, object | undefined>;
    const groups = ["dependencies", "devDependencies", "peerDependencies", "optionalDependencies"];
    const wanted = new Set(groups.flatMap((group) => Object.keys(manifest[group] ?? {})));
    expect(named.toSorted()).toEqual([...wanted].toSorted());
  });

  it("says of each in whole sentences what is lost without it", () => {
    const lines = textOf(page)
      .split(/\n(?=- `|\n|#)/)
      .filter((block) => block.trimStart().startsWith("- `"));
    for (const block of lines) expect(block.replaceAll("\n", " ")).toMatch(/Without it[^.]*\./);
  });
});
