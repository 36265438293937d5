import { expect, it } from "vitest";
import { createRedact } from "../../../src/config/index.ts";
import { type Output, Terminal } from "../../../src/cli/terminal.ts";

/** A stream that remembers. */
function output(isTTY = false) {
  let text = "";
  const listeners: ((error: NodeJS.ErrnoException) => void)[] = [];
  const stream: Output = {
    isTTY,
    columns: 40,
    write(part, done) {
      text += part;
      done?.();
      return true;
    },
    on: (_, listener) => listeners.push(listener),
  };
  const fail = (code: string): void => {
    for (const listener of listeners) listener(Object.assign(new Error(code), { code }));
  };
  return { stream, fail, text: (): string => text };
}

function make(options: { tty?: boolean; environment?: Record<string, string> } = {}) {
  const stdout = output(options.tty);
  const stderr = output(options.tty);
  const { environment = {} } = options;
  const terminal = new Terminal({ stdout: stdout.stream, stderr: stderr.stream, environment });
  return { terminal, stdout, stderr };
}

it("prints with --json one document and no line of text on stdout", () => {
  const { terminal, stdout } = make();
  terminal.json = true;
  terminal.line("text");
  terminal.passage("text", "");
  terminal.document({ a: 1 });
  terminal.failure({ code: "x", message: "y" });
  expect(JSON.parse(stdout.text())).toEqual({ a: 1 });
  expect(() => terminal.document({ b: 2 })).toThrow("one JSON document");
});

it("prints without --json no document", () => {
  const { terminal, stdout } = make();
  terminal.document({ a: 1 });
  terminal.failure({ code: "x", message: "y" });
  terminal.line("text");
  expect(stdout.text()).toBe("text\n");
});

it("hides secrets in every message, and leaves ids and passages of documents whole", () => {
  const { terminal, stdout, stderr } = make();
  terminal.redact = createRedact(["hunter22"], ["docs-folder"]);
  terminal.line("key hunter22");
  terminal.warn("key hunter22 at http://me:you@host/");
  terminal.log('{"msg":"hunter22"}');
  terminal.json = true;
  terminal.document({ message: "in docs-folder", hits: [{ document: "docs-folder/a.md" }] });
  expect(stdout.text() + stderr.text()).not.toContain("hunter22");
  expect(stderr.text()).not.toContain("you@");
  const json: unknown = JSON.parse(stdout.text().slice(stdout.text().indexOf("{")));
  expect(json).toEqual({ message: "in ***", hits: [{ document: "docs-folder/a.md" }] });
});

/** A green line, as it reaches stdout. */
function shown(options: Parameters<typeof make>[0]): string {
  const { terminal, stdout } = make(options);
  terminal.line("fine", "green");
  return stdout.text();
}

it("colours a terminal, but no file, and nothing with NO_COLOR", () => {
  expect(shown({ tty: true })).toContain("\u001b[32m");
  expect(shown({ tty: false })).toBe("fine\n");
  expect(shown({ tty: true, environment: { NO_COLOR: "1" } })).toBe("fine\n");
  expect(shown({ tty: true, environment: { TERM: "dumb" } })).toBe("fine\n");
});

it("rewrites its status line within the width of the terminal, around every other line", () => {
  const { terminal, stderr } = make({ tty: true, environment: { NO_COLOR: "1" } });
  terminal.status("x".repeat(100));
  expect(Array.from(stderr.text())).toHaveLength(39);
  terminal.note("said");
  expect(stderr.text()).toContain(`\r\u001b[Ksaid\n${"x".repeat(38)}…`);
  const quiet = make();
  quiet.terminal.status("working");
  expect(quiet.stderr.text()).toBe("");
});

/** What a terminal shows after all that was written to it. */
function screen(written: string): string[] {
  const lines = [""];
  let row = 0;
  // oxlint-disable-next-line no-control-regex
  for (const [piece] of written.matchAll(/\u001b\[(?:K|1A)|\r|\n|[^\u001b\r\n]+/g)) {
    if (piece === "\u001b[1A") row -= 1;
    else if (piece === "\u001b[K") lines[row] = "";
    else if (piece === "\n") lines[(row += 1)] ??= "";
    else if (piece !== "\r") lines[row] = `${lines[row] ?? ""}${piece}`;
  }
  return lines;
}

it("rewrites two lines of status as one thing, and leaves nothing of them behind", () => {
  const { terminal, stderr } = make({ tty: true, environment: { NO_COLOR: "1" } });
  terminal.status("documents 1", "embedding 1");
  terminal.status("documents 2", "embedding 2");
  terminal.note("said");
  expect(screen(stderr.text())).toEqual(["said", "documents 2", "embedding 2"]);
  terminal.status("documents 3", "");
  expect(screen(stderr.text())).toEqual(["said", "documents 3", ""]);
  terminal.status("documents 4", "y".repeat(100));
  terminal.status();
  terminal.note("done");
  expect(screen(stderr.text())).toEqual(["said", "done", ""]);
});

it("says nothing more to a reader that has gone", async () => {
  const { terminal, stdout, stderr } = make();
  terminal.line("one");
  stdout.fail("EPIPE");
  terminal.line("two");
  await terminal.flush();
  expect([stdout.text(), stderr.text()]).toEqual(["one\n", ""]);
});
