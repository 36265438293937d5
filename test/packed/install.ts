import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../../", import.meta.url));

/** What a command printed and how it ended. */
export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The package as it was packed, and the folder that it was installed into. */
export interface Installed {
  readonly folder: string;
  readonly files: readonly string[];
  readonly packedBytes: number;
  readonly unpackedBytes: number;
}

/** Packs the project, which builds it, and installs the tarball into an empty folder with no other package. */
export function packAndInstall(): Installed {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "sluice-packed-")));
  const packed = succeed("npm", ["pack", "--json", "--pack-destination", folder], root);
  const { filename, size, unpackedSize, files } = report(packed.stdout);
  const place = join(folder, "user");
  mkdirSync(place);
  writeFileSync(
    join(place, "package.json"),
    '{ "name": "user", "private": true, "type": "module" }\n',
  );
  succeed("npm", ["install", "--no-audit", "--no-fund", join("..", filename)], place);
  return {
    folder: place,
    files: files.map(({ path }) => path),
    packedBytes: size,
    unpackedBytes: unpackedSize,
  };
}

/** Runs a program with this process's Node.js first on the path and nothing of the repository on it. */
export function run(program: string, args: readonly string[], cwd: string): Outcome {
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    cwd,
    env: environment(),
    encoding: "utf8",
    maxBuffer: 1 << 26,
    stdio: ["ignore", "pipe", "pipe"],
    timeout: 280_000,
  });
  if (error !== undefined) throw new Error(`${String(error)}\n${stdout}\n${stderr}`);
  return { code: status, stdout, stderr };
}

/** Runs a program that must not fail. */
export function succeed(program: string, args: readonly string[], cwd: string): Outcome {
  const outcome = run(program, args, cwd);
  if (outcome.code === 0) return outcome;
  const { code, stdout, stderr } = outcome;
  throw new Error(`\`${program} ${args.join(" ")}\` ended with ${code}:\n${stdout}\n${stderr}`);
}

interface PackReport {
  readonly filename: string;
  readonly size: number;
  readonly unpackedSize: number;
  readonly files: readonly { readonly path: string }[];
}

/** The one entry of what `npm pack --json` prints after the output of the build: a list, or a map in newer npm. */
function report(stdout: string): PackReport {
  const start = /^[[{]$/m.exec(stdout)?.index;
  const entries: unknown = JSON.parse(stdout.slice(start));
  const [entry] = Object.values(entries as Record<string, PackReport>);
  if (entry === undefined) throw new Error(`\`npm pack\` told of no package:\n${stdout}`);
  return entry;
}

/** Without what an outer npm run has set, which would lead an inner one back into the repository. */
function environment(): NodeJS.ProcessEnv {
  const foreign =
    /^(?:npm_(?!config_)|npm_config_(?:local_|global_)?prefix$|INIT_CWD$|VITEST|NODE_(?:ENV|OPTIONS|PATH)$)/;
  const kept = Object.entries(process.env).filter(([name]) => !foreign.test(name));
  const path = (process.env["PATH"] ?? "")
    .split(delimiter)
    .filter((entry) => !entry.includes("node_modules"));
  return {
    ...Object.fromEntries(kept),
    PATH: [dirname(process.execPath), ...path].join(delimiter),
  };
}
