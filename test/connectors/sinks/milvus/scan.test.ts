import { describe, expect, it } from "vitest";
import type { Answers, Received } from "./fake-milvus.ts";
import { makeSink, signal, startFake } from "./harness.ts";
import { modernMilvus } from "./modern.ts";

/** So many records a scan wants at once. */
const pageRecords = 10_000;

const ids = Array.from({ length: 32_000 }, (_, number) => String(number).padStart(12, "0"));

/** How many records a query asks for. */
function limitOf(message: Received["message"]): number {
  const params = message["query_params"] as { readonly key: string; readonly value: string }[];
  return Number(params.find(({ key }) => key === "limit")?.value);
}

/** Gives as many records as were asked for, from each of its segments, as Milvus does. */
function segmented(segments: number): Answers {
  const query = ({ message }: Received): object => {
    const limit = limitOf(message);
    const [, last = ""] = /id > "(\d*)"/.exec(String(message["expr"])) ?? [];
    const data = ids.filter((id) => id > last).slice(0, limit * segments);
    const scalars = { string_data: { data } };
    return { fields_data: [{ type: "VarChar", field_name: "id", scalars }] };
  };
  return { ...modernMilvus(), Query: query };
}

describe("a scan of a collection with many segments", () => {
  it.each([1, 3, 8])("keeps its pages bounded, with %s of them", async (segments) => {
    const fake = await startFake(segmented(segments));
    const collection = await makeSink(fake.address).open(signal);
    const pages: number[] = [];
    const given: string[] = [];
    for await (const page of collection.scan({ pipeline: "law" }, signal)) {
      pages.push(page.length);
      given.push(...page.map(({ id }) => id));
    }
    expect(given).toEqual(ids);
    expect(Math.max(...pages)).toBeLessThanOrEqual(pageRecords);
    // Only the first page asks for little, and the last one gets little.
    expect(Math.min(...pages.slice(1, -1))).toBeGreaterThan(pageRecords * 0.9);
  });

  it("asks for less after a page that was far too large", async () => {
    const fake = await startFake(segmented(30));
    const collection = await makeSink(fake.address).open(signal);
    const pages: number[] = [];
    for await (const page of collection.scan({ pipeline: "law" }, signal)) pages.push(page.length);
    expect(pages).toEqual([30_000, 2_000]);
    const limits = fake.of("Query").map(({ message }) => limitOf(message));
    expect(limits.slice(0, 2)).toEqual([1_000, 333]);
  });
});
