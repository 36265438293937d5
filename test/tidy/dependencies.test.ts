import { describe, expect, it } from "vitest";
import { textOf } from "./tree.ts";

const [page = "", licences = ""] = textOf("docs/dependencies.md").split("## Licences");

const permissive =
  /^\(?(?:MIT|MIT-0|ISC|0BSD|BSD-[23]-Clause|Apache-2\.0|BlueOak-1\.0\.0|Unlicense|CC0-1\.0)\b/;

const locked = JSON.parse(textOf("package-lock.json")) as {
  readonly packages: Readonly<Record<string, { readonly license?: string }>>;
};

describe("the page of dependencies", () => {
  it("has exactly one line for each package that package.json names", () => {
    const named = [...page.matchAll(/^- `([^`]+)` — /gm)].map(([, name]) => name);
    const manifest = JSON.parse(textOf("package.json")) as Record<string, object | undefined>;
    const groups = ["dependencies", "devDependencies", "peerDependencies", "optionalDependencies"];
    const wanted = new Set(groups.flatMap((group) => Object.keys(manifest[group] ?? {})));
    expect(named.toSorted()).toEqual([...wanted].toSorted());
  });

  it("says of each in whole sentences what is lost without it", () => {
    const lines = page
      .split(/\n(?=- `|\n|#)/)
      .filter((block) => block.trimStart().startsWith("- `"));
    for (const block of lines) expect(block.replaceAll("\n", " ")).toMatch(/Without it[^.]*\./);
  });

  it("names each package that is locked under another licence than a permissive one", () => {
    const named = [...licences.matchAll(/^- (`.+`) — /gm)].flatMap(([, names = ""]) =>
      [...names.matchAll(/`([^`]+)`/g)].map(([, name = ""]) => name),
    );
    const other = Object.entries(locked.packages)
      .filter(([path, { license = "" }]) => path !== "" && !permissive.test(license))
      .map(([path]) => path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length))
      // Builds for one platform are named with their package.
      .map((name) => name.replace(/^lightningcss-.+/, "lightningcss"));
    expect(named.toSorted()).toEqual([...new Set(other)].toSorted());
  });
});
