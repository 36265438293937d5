import { chmod, mkdir, mkdtemp, realpath, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { filesSource } from "../../../connectors/sources/files/index.ts";
import type { SourceHarness, SourcePlace } from "../../../src/testkit/index.ts";
import { makeComponent } from "./make-component.ts";

/** A real folder. */
export interface FilesPlace extends SourcePlace {
  readonly root: string;
}

const nobody = 65_534;
const isRoot = process.geteuid?.() === 0;

/** The source `files` over real folders. */
export const filesHarness: SourceHarness<FilesPlace> = {
  async place(context) {
    const root = await realpath(await mkdtemp(join(tmpdir(), "sluice-laws-")));
    context.defer(() => rm(root, { recursive: true, force: true }));
    // After the source is closed and before the folder is removed, the process is itself again.
    context.defer(async () => {
      if (isRoot) process.seteuid?.(0);
      await chmod(join(root, "m"), 0o755).catch(() => {});
    });
    return {
      root,
      source: async () => makeComponent(filesSource, { root, poll_interval_ms: 60_000 }, context),
      async put(name, text) {
        const path = join(root, `${name}.md`);
        await mkdir(dirname(path), { recursive: true });
        await writeFile(path, text);
        return `${name}.md`;
      },
      remove: (name) => rm(join(root, `${name}.md`)),
    };
  },
  async hideFolder({ root }, folder) {
    await chmod(root, 0o755);
    await chmod(join(root, folder), 0o000);
    // Permissions do not stop root.
    if (isRoot) process.seteuid?.(nobody);
    return `${folder}/`;
  },
  disconnect: ({ root }) => rename(root, `${root}-gone`),
  follows: true,
};
