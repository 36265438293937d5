import { Pinecone } from "@pinecone-database/pinecone";
import { pineconeSink } from "../../../../connectors/sinks/pinecone/index.ts";
import type { ConnectorContext, Sink } from "../../../../src/contracts/index.ts";
import {
  type PineconeEmulator,
  type PineconeEmulatorOptions,
  startPineconeEmulator,
} from "../../../../src/testkit/index.ts";
import type { LawContext } from "../../../../src/testkit/law.ts";
import type { SinkHarness, SinkPlace } from "../../../../src/testkit/sink-harness.ts";
import { configureSink } from "../../../support/configure-sink.ts";

export const apiKey = "pcsk_the-key-of-the-tests";

/** A namespace in an index of an emulator of its own. */
export interface PineconePlace extends SinkPlace {
  readonly emulator: PineconeEmulator;
}

export async function startEmulator(
  context: Pick<LawContext, "defer">,
  options: PineconeEmulatorOptions = {},
): Promise<PineconeEmulator> {
  const emulator = await startPineconeEmulator({ apiKey, ...options });
  context.defer(() => emulator.close());
  return emulator;
}

/** A sink as a pipeline makes it. */
export function makeSink(
  emulator: Pick<PineconeEmulator, "url">,
  config: Readonly<Record<string, unknown>> = {},
  context: Partial<ConnectorContext> = {},
): Sink {
  const whole = {
    api_key: apiKey,
    index: "handbook",
    control_url: emulator.url,
    visibility_timeout_ms: 2_000,
    ...config,
  };
  return configureSink(pineconeSink, whole, context);
}

/** The official client as a stranger would use it. */
export function rawClient(emulator: Pick<PineconeEmulator, "url">): Pinecone {
  return new Pinecone({ apiKey, controllerHostUrl: emulator.url, maxRetries: 0 });
}

/** The laws' harness over emulators with these options. */
export function pineconeHarness(
  options: PineconeEmulatorOptions = {},
  config: Readonly<Record<string, unknown>> = {},
): SinkHarness<PineconePlace> {
  return {
    notSupported: {
      "keeps a text of 200,000 characters whole":
        "Pinecone takes 40,960 bytes of metadata, and the text is metadata; the record is refused by name",
    },
    async place(context) {
      const emulator = await startEmulator(context, options);
      return {
        emulator,
        async connect(pipeline) {
          const sink = makeSink(emulator, config, { pipeline });
          context.defer(() => sink.close());
          return sink;
        },
      };
    },
    // Clients share nothing but the service.
    reopen: async () => {},
    drop: ({ emulator }) => rawClient(emulator).indexes.delete("handbook"),
    disconnect: ({ emulator }) => emulator.close(),
    async reject({ emulator }, ids) {
      emulator.behave(({ operation, body }) => {
        if (operation !== "upsert" || !ids.some((id) => JSON.stringify(body).includes(id))) {
          return undefined;
        }
        return { kind: "status", status: 400 };
      });
    },
    async foreign({ emulator }) {
      const fields = {
        embedding: { type: "dense_vector", dimension: 3, metric: "cosine" },
      } as const;
      const { indexes } = rawClient(emulator);
      await indexes.create({ name: "handbook", schema: { fields } });
      while (!(await indexes.describe("handbook")).status.ready) continue;
    },
  };
}
