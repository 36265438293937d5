import { type AskServer, isFields, type JsonFields } from "./ask-server.ts";
import type { ServerFacts, ServerKind } from "./server-kind.ts";

/** What `owned_by` of a model says of the product. Ollama names the owner of the model's name: `library`. */
const owners: Readonly<Record<string, ServerKind>> = {
  vllm: "vllm",
  sglang: "sglang",
  llamacpp: "llama.cpp",
  infinity: "infinity",
  library: "ollama",
  openai: "openai",
  "openai-internal": "openai",
  system: "openai",
};

/** What is known of a server that is not asked, or says nothing. */
export const unknownServer: ServerFacts = { cuts: false };

/**
 * Learns what a server is and which limits it has, from what each product tells freely. A few small requests; a server
 * that answers none of them is one of which nothing is known.
 */
export async function detectServer(
  ask: AskServer,
  model: string,
  configured: ServerKind | "auto",
): Promise<ServerFacts> {
  // The service itself tells nothing of use, and its list of models is long.
  if (configured === "openai") return { kind: "openai", cuts: false };
  const listed = await ask("v1/models");
  const entry = entryOf(listed, model);
  const seen = owners[String(entry?.owned_by).toLowerCase()] ?? (await kindByPaths(ask));
  const kind = configured === "auto" ? seen : configured;
  if (kind === undefined) return unknownServer;
  const facts = { kind, ...(await readers[kind](ask, entry, model)) };
  return seen === undefined || seen === kind ? facts : { ...facts, looksLike: seen };
}

function entryOf(listed: JsonFields | undefined, model: string): JsonFields | undefined {
  const entries = Array.isArray(listed?.data) ? listed.data.filter(isFields) : [];
  return entries.find(({ id }) => id === model) ?? entries[0];
}

/** Recognises those that have no list of models, or one without an owner. */
async function kindByPaths(ask: AskServer): Promise<ServerKind | undefined> {
  const [info, version, props] = await Promise.all([ask("info"), ask("api/version"), ask("props")]);
  if (info?.max_client_batch_size !== undefined) return "tei";
  if (props?.default_generation_settings !== undefined) return "llama.cpp";
  return version?.version === undefined ? undefined : "ollama";
}

/** What llama.cpp says that was not built by its own people. */
const unknownBuild = "b0-unknown";

type Reader = (
  ask: AskServer,
  entry: JsonFields | undefined,
  model: string,
) => Promise<Omit<ServerFacts, "kind" | "looksLike">>;

const readers: Readonly<Record<ServerKind, Reader>> = {
  vllm: async (ask, entry) => ({
    ...present({
      version: text((await ask("version"))?.version),
      maxTokens: count(entry?.max_model_len),
    }),
    cuts: false,
  }),
  sglang: async (ask, entry) => {
    const info = (await ask("get_server_info")) ?? (await ask("server_info"));
    const context = count(entry?.max_model_len) ?? count(info?.context_length);
    // It refuses a text as long as the context; one that it cuts to that length has lost the end token.
    const maxTokens = context === undefined ? undefined : count(context - 1);
    const cuts = info?.allow_auto_truncate === true;
    return { ...present({ version: text(info?.version), maxTokens }), cuts };
  },
  tei: async (ask) => {
    const info = (await ask("info")) ?? {};
    const batchTokens = count(info.max_batch_tokens);
    const input = count(info.max_input_length);
    const maxTokens = Math.min(input ?? Infinity, batchTokens ?? Infinity);
    const facts = present({
      version: text(info.version),
      maxTexts: count(info.max_client_batch_size),
      // A permit is taken for each text, not for each request.
      maxTextsInFlight: count(info.max_concurrent_requests),
      maxTokens: count(maxTokens),
      batchTokens,
    });
    return { ...facts, cuts: info.auto_truncate !== false };
  },
  ollama: async (ask, _, model) => {
    const [about, running] = await Promise.all([ask("api/version"), ask("api/ps")]);
    const loaded = Array.isArray(running?.models) ? running.models.filter(isFields) : [];
    const found = loaded.find(({ name }) => name === model || name === `${model}:latest`);
    const maxTokens = count(found?.context_length);
    // It reads the files of llama.cpp as that does.
    return {
      ...present({ version: text(about?.version), maxTokens }),
      cuts: true,
      wantsComposed: true,
    };
  },
  "llama.cpp": async (ask, _, model) => {
    const props = await ask("props");
    const settings = isFields(props?.default_generation_settings)
      ? props.default_generation_settings
      : {};
    // It refuses a text as long as the context.
    const context = count(settings.n_ctx);
    const version = text(props?.build_info);
    const serves = props?.model_alias === model ? undefined : fileOf(text(props?.model_path));
    const facts = present({
      version: version === unknownBuild ? undefined : version,
      maxTokens: context === undefined ? undefined : count(context - 1),
      serves: serves === model ? undefined : serves,
    });
    return { ...facts, cuts: false, wantsComposed: true };
  },
  // It cuts to the model's length and says nothing of it.
  infinity: async () => ({ cuts: true }),
  openai: async () => ({ cuts: false }),
};

type Told = Omit<ServerFacts, "kind" | "looksLike" | "cuts" | "wantsComposed">;

/** Leaves out what is not known. */
function present(values: {
  readonly [Key in keyof Told]: Told[Key] | undefined;
}): Told {
  return Object.fromEntries(
    Object.entries(values).filter(([, value]) => value !== undefined),
  ) as Told;
}

function count(value: unknown): number | undefined {
  return typeof value === "number" && Number.isSafeInteger(value) && value > 0 ? value : undefined;
}

/** Of a path the end says enough. */
function fileOf(path: string | undefined): string | undefined {
  return path?.slice(path.lastIndexOf("/") + 1);
}

/** A version or a name, not a sentence: it is shown. */
function text(value: unknown): string | undefined {
  return typeof value === "string" && /^[\w.+:/-]{1,100}$/.test(value) ? value : undefined;
}
