import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { refuseNode } from "../../../bin/node-version.js";

const root = new URL("../../../", import.meta.url);
const textOf = (path: string): string => readFileSync(new URL(path, root), "utf8");

/** As `package.json` names it for npm: `>=22.18`. */
function oldest(): string {
  const { engines } = JSON.parse(textOf("package.json")) as { engines: { node: string } };
  return engines.node.replace(/^>=/, "");
}

describe("the oldest Node.js", () => {
  const [major = 0, minor = 0] = oldest().split(".").map(Number);

  test.each([`v${oldest()}.0`, `v${major}.${minor + 1}.3`, `v${major + 1}.0.0`, "v100.0.0"])(
    "is not newer than %s",
    (version) => {
      for (const checkout of [true, false]) {
        expect(refuseNode({ version, execPath: "/bin/node", checkout })).toBeUndefined();
      }
    },
  );

  test.each([
    `v${major}.${minor - 1}.9`,
    `v${major}.0.0`,
    `v${major - 1}.99.0`,
    "v6.0.0",
    "v9.9.9",
  ])("is newer than %s, which is told what is needed, what there is and what to do", (version) => {
    const old = { version, execPath: "/opt/old/node" };
    const told = refuseNode({ ...old, checkout: false }) ?? "";
    expect(refuseNode({ ...old, checkout: true })).toContain("npx sluice");
    expect(told).toContain(`needs Node.js ${oldest()} or newer`);
    expect(told).toContain(`${version} (/opt/old/node)`);
    expect(told).not.toContain("\n");
  });

  test.each([
    "README.md",
    "CONTRIBUTING.md",
    "docs/guide/getting-started.md",
    "docs/guide/as-a-library.md",
    "docs/decisions/node-version.md",
  ])("is the one that %s names", (page) => {
    expect(textOf(page)).toContain(`Node.js ${oldest()}`);
    const named = textOf(page).match(/Node\.js \d+\.\d+/g) ?? [];
    expect(new Set(named)).toEqual(new Set([`Node.js ${oldest()}`]));
  });
});
