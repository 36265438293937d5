import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { Runtime } from "../../../../../connectors/embedders/qwen3/runtime/index.ts";
import { goldens, noAbort, optionsOf, rows, wrongOnes } from "./tiny-model.ts";

// Lets this process have 250 MB more, and computes a batch whose attention alone takes that several times.
const mebibyte = 2 ** 20;
const runtime = await Runtime.open(optionsOf(), noAbort);
const status = readFileSync("/proc/self/status", "utf8");
const kibibytes = Number(/^VmSize:\s+(\d+)/m.exec(status)?.[1]);
const limit = kibibytes * 1024 + 250 * mebibyte;
execFileSync("prlimit", ["--pid", String(process.pid), `--as=${limit}`]);
const index = rows.findIndex((row) => row.length === 374);
const long = rows[index]!;
const vectors = await runtime.run(
  Array.from({ length: 60 }, () => long),
  noAbort,
);
const expected = vectors.map(() => goldens.items[index]!);
const [measures] = runtime.measures();
await runtime.close();
const wrong = wrongOnes(vectors, goldens.tolerance.fp32, expected);
console.log(JSON.stringify({ vectors: vectors.length, wrong, errors: measures!.errors }));
