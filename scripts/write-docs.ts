import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { writeConnectorsPage } from "./docs/connectors-page.ts";
import { writeFaultsPage } from "./docs/faults-page.ts";

/** The pages that are made from the code, by their path in the repository. */
const pages: Readonly<Record<string, () => string | Promise<string>>> = {
  "docs/faults.md": writeFaultsPage,
  "docs/reference/connectors.md": writeConnectorsPage,
};

const check = process.argv.includes("--check");
let stale = 0;
for (const [path, write] of Object.entries(pages)) {
  const target = fileURLToPath(new URL(`../${path}`, import.meta.url));
  const text = await write();
  const current = await readFile(target, "utf8").catch(() => undefined);
  if (current === text) continue;
  if (check) {
    stale += 1;
    console.error(`\`${path}\` is not what the code says. Run \`node scripts/write-docs.ts\`.`);
  } else {
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, text);
    console.log(`wrote ${path}`);
  }
}
if (stale > 0) process.exitCode = 1;
