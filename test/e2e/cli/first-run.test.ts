import { expect, it } from "vitest";
import { documents, offlinePipeline, Workplace } from "./support/workplace.ts";

it("says which folder and which globs found nothing", async () => {
  const pipeline = offlinePipeline.replace(/root: .*?docs/, '$&, include: ["**/*.rtf", "x.md"]');
  expect(pipeline).toContain("rtf");
  await using place = await Workplace.make({ "sluice.yaml": pipeline, ...documents(2) });
  const run = await place.sluice("run");
  expect(run.code).toBe(0);
  expect(run.stdout).toContain("0 listed");
  expect(run.stderr).toContain(
    `docs: No file in \`${place.folder}/docs\` matches \`**/*.rtf\`, \`x.md\`. ` +
      "Check `root` and `include`.",
  );
  const quiet = await place.sluice("run", "--quiet");
  expect(quiet.stderr).toContain("docs: No file");
});

it("refuses a source that the file does not have, and leaves no state behind", async () => {
  await using place = await Workplace.make({ "sluice.yaml": offlinePipeline, ...documents(1) });
  const run = await place.sluice("run", "--source", "zz");
  expect([run.code, run.stderr]).toEqual([2, expect.stringContaining("no source `zz`")]);
  expect((await place.sluice("status")).stdout).toContain("never ran");
});
