import { stat } from "node:fs/promises";
import { dirname, join, sep } from "node:path";
import { Fault } from "../../faults/index.ts";

/**
 * Refuses a folder that cannot give its place to another one: where a disk is mounted, or where this process runs, which
 * would be left in a folder that is gone. Asked before anything is fetched.
 */
export async function refuseIrreplaceable(folder: string): Promise<void> {
  const within = join(folder, "NAME");
  if (`${process.cwd()}${sep}`.startsWith(`${folder}${sep}`)) {
    throw new Fault(
      "config.invalid",
      `The command runs in \`${folder}\`, which is replaced as a whole. Run it elsewhere, or name a folder in it, such as ` +
        `\`--into ${within}\`.`,
    );
  }
  const [own, parent] = await Promise.all([deviceOf(folder), deviceOf(dirname(folder))]);
  if (own === undefined || parent === undefined || own === parent) return;
  throw new Fault(
    "config.invalid",
    `Another disk is mounted at \`${folder}\`, so that it cannot be replaced as a whole. Name a folder in it, such as ` +
      `\`--into ${within}\`.`,
  );
}

async function deviceOf(path: string): Promise<number | undefined> {
  return (await stat(path).catch(() => undefined))?.dev;
}
