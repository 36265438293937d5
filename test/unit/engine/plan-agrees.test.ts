import { describe, expect, it } from "vitest";
import { plan } from "../../../src/engine/plan.ts";
import { Fault } from "../../../src/faults/index.ts";
import { Rig } from "./rig/rig.ts";
import { RigSource } from "./rig/source.ts";

const ours = import.meta.filename;
const theirs = new URL("targets.test.ts", import.meta.url).pathname;

async function indexed(options: ConstructorParameters<typeof Rig>[0] = {}): Promise<Rig> {
  const rig = new Rig(options);
  rig.file = ours;
  for (let number = 0; number < 6; number += 1) rig.source.put(`d${number}`, `text ${number}`);
  expect((await rig.run()).exitCode).toBe(0);
  return rig;
}

function renamed(rig: Rig, to: string, previously: string): void {
  const settings = rig.sources.get("docs");
  rig.sources.clear();
  if (settings !== undefined) rig.sources.set(to, { ...settings, previously });
}

function down(rig: Rig, ...names: readonly string[]): void {
  for (const name of names) {
    rig.sinkOf(name).before = () =>
      Promise.reject(new Fault("sink.unreachable", `${name} is down.`));
  }
}

function unreachable(): RigSource {
  const source = new RigSource();
  source.say = () => {
    throw new Fault("source.unreachable", "The root is missing.");
  };
  return source;
}

/** What can be the matter, what a run makes of it, and by which fault. */
const matters: readonly (readonly [
  what: string,
  prepare: () => Promise<Rig>,
  exitCode: number,
  code: string | undefined,
])[] = [
  ["nothing", () => indexed(), 0, undefined],
  [
    "two sinks on one collection",
    async () => {
      const rig = await indexed({ sinks: ["main", "other"] });
      rig.sinkOf("other").collection = rig.sink.collection;
      return rig;
    },
    4,
    "refused.shared",
  ],
  [
    "a cache of another model's vectors",
    async () => {
      const rig = await indexed();
      rig.embedder.weights = "other";
      for (const sink of rig.sinks.values()) sink.drop();
      return rig;
    },
    4,
    "refused.probe",
  ],
  [
    "a collection of another model's vectors",
    async () => {
      const rig = await indexed();
      rig.cache = undefined;
      rig.embedder.weights = "other";
      return rig;
    },
    4,
    "refused.probe",
  ],
  [
    "a second file of one name",
    async () => {
      const rig = await indexed();
      rig.file = theirs;
      return rig;
    },
    4,
    "refused.pipeline",
  ],
  [
    "records of this pipeline that the state does not know, in a collection whose marker does not name it",
    async () => {
      const rig = await indexed();
      const { marker } = rig.sink;
      if (marker !== undefined) rig.sink.marker = { ...marker, pipelines: {} };
      rig.state = new Rig().state;
      return rig;
    },
    4,
    "refused.state",
  ],
  [
    "a source that has another name, and says so",
    async () => {
      const rig = await indexed();
      renamed(rig, "pages", "docs");
      return rig;
    },
    0,
    undefined,
  ],
  [
    "a source that has another name, and deleted documents",
    async () => {
      const rig = await indexed();
      renamed(rig, "pages", "docs");
      for (let number = 0; number < 5; number += 1) rig.source.remove(`d${number}`);
      return rig;
    },
    4,
    "refused.deletions",
  ],
  [
    "a source whose former name is told when its new name has run already",
    async () => {
      const rig = await indexed();
      const settings = rig.sources.get("docs");
      rig.sources.clear();
      if (settings !== undefined) rig.sources.set("pages", settings);
      await rig.run();
      renamed(rig, "pages", "docs");
      return rig;
    },
    4,
    "refused.deletions",
  ],
  [
    "one sink of two that does not answer",
    async () => {
      const rig = await indexed({ sinks: ["main", "other"] });
      rig.source.put("d0", "changed");
      down(rig, "main");
      return rig;
    },
    5,
    "sink.unreachable",
  ],
  [
    "a sink that does not answer, and another that is refused",
    async () => {
      const rig = await indexed({ sinks: ["main", "other"] });
      rig.sinkOf("other").dimension = 4;
      down(rig, "main");
      return rig;
    },
    4,
    "refused.dimension",
  ],
  [
    "no sink that answers",
    async () => {
      const rig = await indexed({ sinks: ["main", "other"] });
      down(rig, "main", "other");
      return rig;
    },
    5,
    "sink.unreachable",
  ],
  [
    "one source of two that cannot be reached",
    async () => {
      const rig = await indexed();
      rig.sources.set("gone", { source: unreachable() });
      rig.source.put("d0", "changed");
      return rig;
    },
    5,
    "source.unreachable",
  ],
  [
    "a changed recipe",
    async () => {
      const rig = await indexed();
      const settings = rig.sources.get("docs");
      if (settings !== undefined) settings.chunkerRecipe = "lines 2";
      return rig;
    },
    4,
    "refused.reprocess",
  ],
];

describe("a plan ends as the run would: with", () => {
  it.each(matters)("%s", async (_, prepare, exitCode, code) => {
    const rig = await prepare();
    const said = await plan(rig.pipeline, { clock: rig.clock });
    const done = await rig.run();
    expect([done.exitCode, done.summary.error?.code]).toEqual([exitCode, code]);
    expect([said.exitCode, said.plan.error?.code]).toEqual([exitCode, code]);
    if (code !== undefined) expect(said.plan.to_do).toBe(true);
    if (code !== undefined && code !== "refused.deletions" && exitCode === 4) return;
    const { listed, added, updated, unchanged, deleted, withheld } = done.summary.documents;
    expect(said.plan.documents).toMatchObject({
      listed,
      add: added,
      update: updated,
      unchanged,
      delete: deleted,
      withhold: withheld,
    });
  });
});

describe("the table of a plan", () => {
  it("has a row for each sink, with why it is refused or does not answer", async () => {
    const rig = await indexed({ sinks: ["down", "refused", "fine"] });
    rig.sinkOf("refused").dimension = 4;
    down(rig, "down");
    const { plan: said } = await plan(rig.pipeline, { clock: rig.clock });
    expect(said.sinks).toMatchObject([
      { sink: "down", action: "unreachable", code: "sink.unreachable", reason: "down is down." },
      { sink: "refused", action: "refuse", code: "refused.dimension" },
      { sink: "fine", action: "open", dimension: 8 },
    ]);
    expect(said.unreachable).toEqual([
      { component: "sinks.down", code: "sink.unreachable", message: "down is down." },
    ]);
  });

  it("has the row of a collection with another model's vectors", async () => {
    const rig = await indexed();
    rig.cache = undefined;
    rig.embedder.weights = "other";
    const { plan: said } = await plan(rig.pipeline, { clock: rig.clock });
    expect(said.sinks).toMatchObject([{ sink: "main", action: "refuse", code: "refused.probe" }]);
    expect(said.documents).toMatchObject({ listed: 6, unchanged: 6 });
  });
});
