import { join } from "node:path";
import { execute } from "./execute.ts";

const minute = 60_000;
const missing =
  "There is no Python. Install Python 3 with its module `venv` (`apt-get install python3-venv`).";

/** Makes a virtual environment with these packages and returns its interpreter, which bears being moved with it. */
export async function makePython(folder: string, packages: readonly string[]): Promise<string> {
  await execute("python3", ["-m", "venv", folder], { timeoutMs: 3 * minute, missing });
  const python = join(folder, "bin", "python");
  const options = ["--quiet", "--no-input", "--disable-pip-version-check"];
  await execute(python, ["-m", "pip", "install", ...options, ...packages], {
    timeoutMs: 10 * minute,
  });
  return python;
}
