import { expect, it } from "vitest";
import { documents, offlinePipeline, Workplace } from "./support/workplace.ts";

/** How many embeddings the cache holds, and how many records a query finds. */
async function held(place: Workplace): Promise<readonly [number, number]> {
  const cache = await place.sluice("cache", "stats", "--json");
  const found = await place.sluice("query", "page", "-k", "9", "--json");
  return [
    cache.json<{ entries: number }>().entries,
    found.json<{ hits?: readonly unknown[] }>().hits?.length ?? 0,
  ];
}

it.each([
  ["cache clear", [0, 3]],
  ["forget --sink search --delete-records", [3, 0]],
  ["forget --source docs --delete-records", [3, 0]],
])(
  "`sluice %s` destroys nothing without a terminal unless `--yes` is given",
  async (line, left) => {
    await using place = await Workplace.make({ "sluice.yaml": offlinePipeline, ...documents(3) });
    expect((await place.sluice("run")).code).toBe(0);
    const refused = await place.sluice(...line.split(" "), "--json");
    expect(refused.code).toBe(2);
    const { error } = refused.json<{ error: { code: string; message: string } }>();
    expect(error.code).toBe("config.invalid");
    expect(error.message).toContain("`--yes`");
    expect(await held(place)).toEqual([3, 3]);
    expect((await place.sluice(...line.split(" "), "--yes")).code).toBe(0);
    expect(await held(place)).toEqual(left);
  },
);
