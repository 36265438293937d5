import { mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "vitest";
import { articlesSource } from "./articles-source.ts";
import { registerLaws, sourceLaws } from "../../../src/testkit/index.ts";

const clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: (milliseconds: number, signal: AbortSignal) =>
    new Promise<void>((resolve, reject) => {
      signal.throwIfAborted();
      const timer = setTimeout(resolve, milliseconds);
      signal.addEventListener("abort", () => {
        clearTimeout(timer);
        reject(signal.reason);
      });
    }),
};

const laws = sourceLaws({
  async place(context) {
    const folder = await mkdtemp(join(tmpdir(), "articles-"));
    context.defer(() => rm(folder, { recursive: true }));
    const path = join(folder, "articles.json");
    const change = async (edit: (articles: Record<string, string>) => void): Promise<void> => {
      const articles = JSON.parse(await readFile(path, "utf8")) as Record<string, string>;
      edit(articles);
      await writeFile(`${path}.new`, JSON.stringify(articles));
      await rename(`${path}.new`, path);
    };
    await writeFile(path, "{}");
    return {
      path,
      async source() {
        const config = articlesSource.config.parse({ file: path, poll_interval_ms: 20 });
        const about = { name: "articles", pipeline: "laws", folder, clock, fields: {} };
        return articlesSource.create(config, about);
      },
      async put(name: string, text: string) {
        await change((articles) => (articles[name] = text));
        return name;
      },
      remove: (name: string) => change((articles) => delete articles[name]),
    };
  },
  disconnect: ({ path }) => rm(path),
  follows: true,
  notSupported: {
    hideFolder: "articles are not in folders",
    checkpointAfter: "a listing reads one file and begins anew faster than it could be resumed",
  },
});

registerLaws(laws, { describe, it }, { title: "the source `articles`" });
