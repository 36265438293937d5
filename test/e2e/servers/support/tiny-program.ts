/**
 * A small real server: keeps a text in a file, starts a process of its own, and crashes when told to.
 * `tiny-program.ts MODE PORT FOLDER`
 */
import { spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { text } from "node:stream/consumers";

const [mode, port, folder = ""] = process.argv.slice(2);
const file = join(folder, "text");

if (mode === "ends") {
  console.error("This server does not like its settings.");
  process.exit(3);
}

const helper = spawn(process.execPath, ["--eval", "setInterval(() => {}, 60_000)"]);

process.on("SIGTERM", () => {
  if (mode === "stubborn") return;
  writeFileSync(join(folder, "goodbye"), "");
  process.exit();
});

createServer(async (request, response) => {
  if (mode === "unwell") response.statusCode = 503;
  if (request.method === "DELETE") process.exit(7);
  if (request.method === "PUT") writeFileSync(file, await text(request));
  const { pid } = process;
  response.end(JSON.stringify({ pid, helper: helper.pid, text: readFileSync(file, "utf8") }));
})
  .on("error", (error) => {
    console.error(String(error));
    process.exit(1);
  })
  .listen(Number(port), "127.0.0.1");

writeFileSync(file, "", { flag: "a" });
