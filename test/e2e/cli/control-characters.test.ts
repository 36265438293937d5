import { expect, it } from "vitest";
import { offlinePipeline, type Outcome, Workplace } from "./support/workplace.ts";

/** Whatever could drive a terminal, save line ends and tabs. */
const raw = /[^\P{Cc}\n\t]|[\u2028\u2029\u202a-\u202e\u2066-\u2069]/u;
const evil = "\u001b]0;owned\u0007\u001b[2J\u009b31m\u202e";

it("shows names and passages without a single raw control character", async () => {
  const name = `docs/red${evil}\nfake: line.md`;
  await using place = await Workplace.make({
    "sluice.yaml": `${offlinePipeline}metadata: { date: timestamp }\n`,
    [name]: `# Title ${evil}\n\nA passage ${evil} about herons.\n`,
    [`docs/bad${evil}\n.md`]: "---\ndate: never\n---\nText.\n",
  });
  const run = await place.sluice("run");
  expect(run.code).toBe(3);
  const outcomes: Outcome[] = [run];
  for (const format of [[], ["--json"], ["--verbose"]]) {
    const all = await Promise.all([
      place.sluice("run", "--full", ...format),
      place.sluice("query", "herons", ...format),
      place.sluice("parse", name, ...format),
      place.sluice("failures", "list", ...format),
      place.sluice("failures", "show", ...format),
      place.sluice("validate", `no-such${evil}.yaml`, ...format),
      place.sluice("status", ...format),
      place.sluice("query", "herons", "--sink", evil, ...format),
    ]);
    outcomes.push(...all);
  }
  for (const { stdout, stderr } of outcomes) {
    expect(stdout).not.toMatch(raw);
    expect(stderr).not.toMatch(raw);
  }
  const query = await place.sluice("query", "herons", "--json");
  const { hits } = query.json<{ hits: { document: string; text: string }[] }>();
  expect(hits[0]?.document).toBe(`docs:${name.slice("docs/".length)}`);
  expect(hits[0]?.text).toContain("\u202e");
  const plain = await place.sluice("query", "herons");
  expect(plain.stdout.split("\n").filter((line) => line.startsWith("fake"))).toEqual([]);
  expect(plain.stdout).toContain(String.raw`\x1b[2J`);
});
