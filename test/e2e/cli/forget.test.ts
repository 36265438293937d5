import { expect, it } from "vitest";
import { documents, offlinePipeline, Workplace } from "./support/workplace.ts";

function filled(): Promise<Workplace> {
  return Workplace.make({ "sluice.yaml": offlinePipeline, ...documents(3) });
}

/** The commands that a message tells to type, without `sluice`. */
function advised(message: string): string[][] {
  return [...message.matchAll(/`sluice ([^`]*)`/g)].map(([, words = ""]) => words.split(" "));
}

it("a sink that keeps its records is refused to the next run, and what is said then helps", async () => {
  await using place = await filled();
  await place.sluice("run");
  const forgotten = await place.sluice("forget", "sluice.yaml", "--sink", "search");
  expect([forgotten.code, forgotten.stdout]).toEqual([
    0,
    "sink search: forgot 3 documents; its records stay\n",
  ]);
  expect(forgotten.stderr).toContain("runs are refused");
  expect((await place.sluice("run")).code).toBe(4);
  const [adopt = [], deleteRecords = [], ...more] = advised(forgotten.stderr);
  expect(more).toEqual([]);
  expect((await place.sluice(...adopt)).code).toBe(0);
  const adopted = await place.sluice("run", "--json");
  expect(adopted.json()).toMatchObject({ documents: { unchanged: 3 }, status: "succeeded" });

  await place.sluice("forget", "--sink", "search");
  expect((await place.sluice(...deleteRecords, "--yes")).code).toBe(0);
  const refilled = await place.sluice("run", "--json");
  expect(refilled.json()).toMatchObject({ sinks: { search: { upserted: 3 } } });
});

it("a sink whose records are deleted is filled by the next run, and that is said", async () => {
  await using place = await filled();
  await place.sluice("run");
  const forgotten = await place.sluice("forget", "--sink", "search", "--delete-records", "-y");
  expect(forgotten.stdout).toBe("sink search: forgot 3 documents; 3 records deleted\n");
  expect(forgotten.stderr).toContain("the next run fills it again");
  const run = await place.sluice("run", "--json");
  expect(run.json()).toMatchObject({ sinks: { search: { upserted: 3 } } });
});

it("of a sink that went to another collection, the present one stays attached, and is named", async () => {
  await using place = await filled();
  await place.sluice("run");
  await place.write(
    "sluice.yaml",
    offlinePipeline.replace("collection: handbook", "collection: b"),
  );
  await place.sluice("run");
  const forgotten = await place.sluice("forget", "--sink", "search", "--json");
  const { kept } = forgotten.json<{ kept: string }>();
  expect(kept).toContain("`b`");
  expect(forgotten.stderr).toContain(kept);
  expect(forgotten.stderr).not.toContain("refused");
  const run = await place.sluice("run", "--json");
  expect(run.json()).toMatchObject({ documents: { unchanged: 3 }, status: "succeeded" });

  const again = await place.sluice("forget", "--sink", "search");
  expect(again.stdout).toContain("forgot 3 documents");
  expect(again.stderr).toContain("runs are refused");
});

it("a source is read again by the next run, and that is said; nothing is said of what the file no longer has", async () => {
  await using place = await filled();
  await place.sluice("run");
  const source = await place.sluice("forget", "--source", "docs");
  expect(source.stderr).toContain("the next run reads it again");
  const run = await place.sluice("run", "--json");
  expect(run.json()).toMatchObject({ documents: { added: 3 }, status: "succeeded" });

  await place.write(
    "sluice.yaml",
    offlinePipeline.replace("search:", "other:").replace(": handbook }", ": o }"),
  );
  const gone = await place.sluice("forget", "--sink", "search");
  expect([gone.code, gone.stderr]).toEqual([0, ""]);
});
