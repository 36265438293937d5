import { define } from "../../../src/contracts/index.ts";
import { filesConfig } from "./config.ts";
import { createFilesSource } from "./source.ts";

/** The files of a folder. */
export const filesSource = define({
  kind: "source",
  type: "files",
  revision: 1,
  summary: "Lists the files of a folder and its subfolders, and watches them.",
  stability: "stable",
  config: filesConfig,
  examples: [
    { title: "All documents of a folder", config: { root: "../docs" } },
    {
      title: "Some of them",
      config: { root: ".", include: ["docs/**/*.md", "*.md"], exclude: ["docs/drafts"] },
    },
    {
      title: "A network share, looked at every 10 seconds with --watch",
      config: { root: "/mnt/handbook", poll_interval_ms: 10_000 },
    },
  ],
  packages: [],
  create: (config, context) => createFilesSource(config, context),
});
