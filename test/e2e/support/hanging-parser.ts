import { z } from "zod";
import { define, type Parser } from "../../../src/contracts/index.ts";

/** What its documents say makes it stick: `wait` waits for ever, `yield` never ends, `throw` breaks. */
export const hangingParser = define({
  kind: "parser",
  type: "hanging",
  revision: 1,
  summary: "Reads plain text badly.",
  stability: "experimental",
  config: z.strictObject({}),
  examples: [],
  packages: [],
  create: (): Parser => ({
    mediaTypes: ["text/plain"],
    async *parse(_document, content) {
      let text = "";
      for await (const bytes of content) text += Buffer.from(bytes).toString("utf8");
      const paragraph = { text, kind: "paragraph", headings: [] } as const;
      if (text.includes("wait")) await new Promise(() => undefined);
      if (text.includes("throw")) throw new TypeError(`no way with ${text}`);
      do {
        yield { kind: "block", block: paragraph };
        await new Promise<void>((resolve) => setImmediate(resolve));
      } while (text.includes("yield"));
    },
    close: () => Promise.resolve(),
  }),
});
