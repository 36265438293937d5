import { expect, it } from "vitest";
import { startEmbeddingServer } from "../../../src/testkit/embedding-server.ts";
import { documents, offlinePipeline, Workplace } from "./support/workplace.ts";

function pipelineOf(url: string): string {
  return offlinePipeline
    .replace("{ type: lexical }", `{ type: openai, url: "${url}", model: example }`)
    .concat("limits: { documents: 2 }\n");
}

interface Summary {
  status: string;
  documents: { listed: number; added: number; unchanged: number; failed: number };
}

it("finishes what is in flight on Ctrl-C, ends with 130, and goes on where it stopped", async () => {
  await using server = await startEmbeddingServer({ dimension: 32 });
  await using place = await Workplace.make({
    "sluice.yaml": pipelineOf(server.url),
    ...documents(40),
  });
  const working = Promise.withResolvers<void>();
  server.behave(({ texts }) => {
    if (texts.some((text) => text.includes("topic"))) working.resolve();
    return { kind: "slow", ms: 100 };
  });
  const run = place.start("run", "--json");
  await working.promise;
  run.process.kill("SIGINT");
  await run.tells("Stopping");
  const first = await run.ended;
  expect(first.code).toBe(130);
  expect(first.json<Summary>().status).toBe("interrupted");
  const { added } = first.json<Summary>().documents;
  expect(added).toBeGreaterThan(0);
  expect(added).toBeLessThan(40);
  expect(first.stderr).toContain("Run the same command again");

  server.behave(undefined);
  const second = await place.sluice("run", "--json");
  expect(second.code).toBe(0);
  expect(second.json<Summary>().documents).toMatchObject({ listed: 40, added: 40 - added });
  const verify = await place.sluice("verify", "--json");
  expect(verify.json()).toMatchObject({ sinks: { search: { expected: 40, present: 40 } } });
});

it("lets only one run work at a time, names the other, and gives up at the second Ctrl-C", async () => {
  await using server = await startEmbeddingServer({ dimension: 32, behaviour: { kind: "hang" } });
  await using place = await Workplace.make({
    "sluice.yaml": pipelineOf(server.url),
    ...documents(1),
  });
  const asked = Promise.withResolvers<void>();
  server.behave(() => {
    asked.resolve();
    return { kind: "hang" };
  });
  const first = place.start("run", "--json");
  await asked.promise;
  const second = await place.sluice("run", "--json");
  expect(second.code).toBe(4);
  expect(second.json()).toMatchObject({ status: "refused", error: { code: "state.locked" } });
  expect(second.stderr).toContain(String(first.process.pid));

  first.process.kill("SIGINT");
  await first.tells("Stopping");
  first.process.kill("SIGINT");
  const { code, json } = await first.ended;
  expect([code, json<Summary>().status]).toEqual([130, "interrupted"]);

  server.behave(undefined);
  expect((await place.sluice("run")).code).toBe(0);
});

it("ends a command that only reads at the first Ctrl-C", async () => {
  await using server = await startEmbeddingServer({ dimension: 32 });
  await using place = await Workplace.make({
    "sluice.yaml": pipelineOf(server.url),
    ...documents(1),
  });
  const asked = Promise.withResolvers<void>();
  server.behave(() => {
    asked.resolve();
    return { kind: "hang" };
  });
  const plan = place.start("plan", "--json");
  await asked.promise;
  plan.process.kill("SIGTERM");
  const { code, json } = await plan.ended;
  expect([code, json()]).toMatchObject([130, { error: { code: "aborted" } }]);
});

it("prints one JSON line per event while it watches, and settles what changes", async () => {
  await using place = await Workplace.make({ "sluice.yaml": offlinePipeline, ...documents(1) });
  const watch = place.start("run", "--watch", "--json");
  await watch.prints('"listing-ended"');
  await place.write("docs/later.md", "# Later\n\nWritten while it watches.\n");
  await watch.prints('"document":"docs:later.md","outcome":"added"');
  watch.process.kill("SIGINT");
  const { code, stdout } = await watch.ended;
  const lines = stdout.trimEnd().split("\n");
  const events = lines.map((line): { kind: string; exit_code?: number } => JSON.parse(line));
  expect(events.map(({ kind }) => kind)).toContain("document-settled");
  expect(events.at(-1)).toMatchObject({ kind: "run-ended", exit_code: code });
  expect(code).toBe(0);
});
