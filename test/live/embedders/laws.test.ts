import { describe, it } from "vitest";
import { freePorts } from "../../../scripts/servers/free-ports.ts";
import { startServer } from "../../../scripts/servers/start-server.ts";
import { embedderLaws } from "../../../src/testkit/embedder-laws.ts";
import { registerLaws } from "../../../src/testkit/run-laws.ts";
import { describeLive } from "../support/live-servers.ts";
import { mostTokens, servedBy } from "./tiny-server.ts";

/** Wrong answers and silence are tried on servers in the process. */
const notSupported = {
  wrong: "A real server's answers are right.",
  silent: "A real server answers.",
};
const tooLongText = "long ".repeat(1_000);
/** Each ` a` is a token in the tiny vocabulary and in Qwen3's. */
const inParts = { text: " a".repeat(1_200), partTokens: mostTokens - 1 };
const split = { oversize: "split" };

async function nobody(): Promise<string> {
  const [port] = await freePorts(1);
  return `http://127.0.0.1:${port}/v1`;
}

describeLive("llama-cpp", ({ address }) => {
  const one = embedderLaws({
    notSupported,
    tooLongText,
    embedder: async () => servedBy(address),
    inParts: { ...inParts, embedder: async () => servedBy(address, split) },
    unreachable: async () => servedBy(await nobody()),
  });
  registerLaws(one, { describe, it }, { title: "the embedder `openai`: it" });

  const several = embedderLaws({
    notSupported,
    tooLongText,
    embedder: async (context) => {
      const second = await startServer("llama-cpp");
      context.defer(() => second.stop());
      return servedBy([address, second.address]);
    },
    inParts: {
      ...inParts,
      embedder: async (context) => {
        const second = await startServer("llama-cpp");
        context.defer(() => second.stop());
        return servedBy([address, second.address], split);
      },
    },
    unreachable: async () => servedBy([await nobody(), await nobody()]),
  });
  registerLaws(several, { describe, it }, { title: "the embedder `openai` of two servers: it" });
});
