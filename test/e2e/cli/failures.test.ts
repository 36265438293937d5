import { createServer } from "node:net";
import { expect, it } from "vitest";
import { documents, offlinePipeline, Workplace } from "./support/workplace.ts";

const typed = `${offlinePipeline}metadata: { date: timestamp }\n`;

interface Failures {
  failures: { document: string; code: string; accepted: boolean }[];
}

it("ends with 3 for a failed document until it is accepted or mended", async () => {
  await using place = await Workplace.make({
    "sluice.yaml": typed,
    ...documents(2),
    "docs/bad.md": "---\ndate: someday\n---\n# Bad\n\nNo date.\n",
  });
  const run = await place.sluice("run");
  expect(run.code).toBe(3);
  expect(run.stderr).toContain("1 document failed");
  expect(run.stderr).toContain("docs:bad.md (parse, parse.metadata)");
  expect(run.stderr).toContain("`sluice failures list`");

  const [list, show, unknown] = await Promise.all([
    place.sluice("failures", "list", "--json"),
    place.sluice("failures", "show", "--document", "docs:bad.md"),
    place.sluice("failures", "accept", "--document", "docs:page-0.md"),
  ]);
  expect(list.json<Failures>().failures).toMatchObject([
    { document: "docs:bad.md", stage: "parse", code: "parse.metadata", accepted: false },
  ]);
  expect(show.stdout).toContain("it is not in the index");
  expect([unknown.code, unknown.stderr]).toEqual([2, expect.stringContaining("has not failed")]);

  expect((await place.sluice("failures", "accept", "--json")).json()).toEqual({ documents: 1 });
  expect((await place.sluice("failures", "list")).stdout).toMatch(/docs:bad\.md .*accepted/);
  const accepted = await place.sluice("run", "--json");
  expect([accepted.code, accepted.json()]).toMatchObject([0, { documents: { failed: 1 } }]);

  expect((await place.sluice("failures", "retry", "--json")).json()).toEqual({ documents: 1 });
  expect((await place.sluice("run")).code).toBe(3);
  await place.write("docs/bad.md", "---\ndate: 2026-01-31\n---\n# Good\n\nA date.\n");
  expect((await place.sluice("run")).code).toBe(0);
  expect((await place.sluice("failures", "list")).stderr).toContain("No failures.");
});

it("ends with 5 when the embedding server is down, and never shows a secret", async () => {
  const port = await closedPort();
  const pipeline = offlinePipeline.replace(
    "embedder: { type: lexical }",
    [
      "embedder:",
      "  type: openai",
      `  url: http://reader:hunter2@127.0.0.1:${port}/\${TENANT}/v1`,
      "  api_key: ${EMBEDDING_API_KEY}",
      "  model: example",
      "retry: { attempts: 2, base_ms: 1, max_ms: 1 }",
    ].join("\n"),
  );
  await using place = await Workplace.make(
    { "sluice.yaml": pipeline, ...documents(1) },
    { EMBEDDING_API_KEY: "sk-very-secret", TENANT: "tenant-4711" },
  );
  const outcomes = await Promise.all([
    place.sluice("run", "--verbose", "--json"),
    place.sluice("plan", "--json"),
    place.sluice("query", "anything", "--json"),
    place.sluice("doctor"),
  ]);
  for (const { code, stdout, stderr } of outcomes) {
    expect([code, stderr]).toEqual([5, expect.any(String)]);
    expect(stdout + stderr).not.toContain("sk-very-secret");
    expect(stdout + stderr).not.toContain("hunter2");
    expect(stdout + stderr).toContain(`http://127.0.0.1:${port}/tenant-4711/v1`);
  }
  const [run, plan, , doctor] = outcomes;
  expect(run?.json()).toMatchObject({ status: "failed", error: { code: "embed.unreachable" } });
  expect(plan?.json()).toMatchObject({ error: { code: "embed.unreachable" } });
  expect(doctor?.stdout).toMatch(/FAIL {2}embedder[\s\S]*Check `url`/);
  expect(doctor?.stdout).toContain("ok    sources.docs");
});

/** A port of the loopback that nothing listens on. */
async function closedPort(): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>();
  const server = createServer().listen(0, "127.0.0.1", () => {
    const address = server.address();
    server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
  });
  return promise;
}
