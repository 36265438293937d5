import { execFile } from "node:child_process";
import { mkdir, symlink } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { bin, offlinePipeline, Workplace } from "./support/workplace.ts";

const pipeline = offlinePipeline.replace("name: handbook", "name: ${PIPELINE_NAME}");

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

type Start = (place: Workplace, given: readonly string[]) => Promise<Ended>;

/** As npm and npx start a package's command: a link in a folder of links, by the system and its first line. */
const linked: Start = async ({ folder }, given) => {
  const link = join(folder, "node_modules/.bin/sluice");
  await mkdir(dirname(link), { recursive: true });
  await symlink(bin, link).catch(() => undefined);
  const PATH = `${dirname(process.execPath)}${delimiter}${process.env["PATH"] ?? ""}`;
  return new Promise((resolve) => {
    execFile(link, given, { cwd: folder, env: { PATH } }, (error, stdout, stderr) => {
      resolve({ code: Number(error?.code ?? 0), stdout, stderr });
    });
  });
};

const direct: Start = async (place, given) => {
  const { code, stdout, stderr } = await place.sluice(...given);
  return { code: code ?? -1, stdout, stderr };
};

describe.each([
  ["by its path", direct],
  ["through npm's link", linked],
])("a file of variables, the command started %s,", (_, start) => {
  it("gives the pipeline its values", async () => {
    const files = { "sluice.yaml": pipeline, "some.env": "PIPELINE_NAME=from-the-file\n" };
    await using place = await Workplace.make(files);
    const { code, stdout } = await start(place, ["validate", "--variables", "some.env"]);
    expect([code, stdout]).toEqual([0, "sluice.yaml: valid (pipeline from-the-file)\n"]);
  });

  it("that is not there is told by sluice, as a problem of that file", async () => {
    await using place = await Workplace.make({ "sluice.yaml": offlinePipeline });
    for (const command of ["validate", "run"]) {
      const { code, stdout, stderr } = await start(place, [command, "--variables", "no.env"]);
      expect([command, code, stdout]).toEqual([command, 2, ""]);
      expect(stderr).toContain("no.env:1:1: the file cannot be read (it does not exist)");
    }
  });

  it("is not asked for by an option that Node.js takes for itself", async () => {
    const files = { "sluice.yaml": pipeline, "some.env": "PIPELINE_NAME=from-the-file\n" };
    await using place = await Workplace.make(files);
    for (const given of [["--env-file", "some.env"], ["--env-file=some.env"]]) {
      const { code, stderr } = await start(place, ["validate", ...given]);
      expect([given, code]).toEqual([given, 2]);
      expect(stderr).toContain("`--variables FILE`");
    }
  });
});
