import { describe, expect, it } from "vitest";
import { writeFaultsPage } from "../../scripts/docs/faults-page.ts";
import { faultCodes } from "../../src/faults/index.ts";
import { files, textOf } from "./tree.ts";

const page = "docs/faults.md";

describe("the page of faults", () => {
  it("is what `scripts/write-docs.ts` makes of the table of codes", () => {
    expect(files).toContain(page);
    expect(textOf(page)).toBe(writeFaultsPage());
  });

  it("has a heading for every code, and none for anything else", () => {
    const headings = [...textOf(page).matchAll(/^### `([^`]+)`/gm)].map(([, name]) => name);
    expect(headings.toSorted()).toEqual(Object.keys(faultCodes).toSorted());
  });

  it("says of every code what it means, in whole sentences", () => {
    for (const [name, { meaning }] of Object.entries(faultCodes)) {
      expect(meaning, name).toMatch(/^[A-Z][^|\n]*[.)]$/);
    }
  });
});
