import { describe, expect, it } from "vitest";
import { catalog } from "../../connectors/catalog.ts";
import { writeConnectorsPage } from "../../scripts/docs/connectors-page.ts";
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

describe("the page of connectors", () => {
  const path = "docs/reference/connectors.md";

  it("is what `scripts/write-docs.ts` makes of the catalog", async () => {
    expect(textOf(path)).toBe(await writeConnectorsPage());
  });

  it("has a heading for every connector of the catalog, and none for anything else", () => {
    const headings = [...textOf(path).matchAll(/^### `([^`]+)`/gm)].map(([, name]) => name);
    expect(headings.toSorted()).toEqual(catalog.map(({ type }) => type).toSorted());
  });
});
