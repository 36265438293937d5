import type { ComponentNote } from "../../../../src/contracts/index.ts";
import { type ServerFacts, serverNames } from "./server-kind.ts";

/** Since this version vLLM takes the right token of prompts that it reads in parts. */
const rightVllm = [0, 26] as const;

/** What a person should know of a server. `shown` is its address for messages. */
export function serverNotes(shown: string, facts: ServerFacts): readonly ComponentNote[] {
  const { kind, version } = facts;
  if (kind === undefined) return [];
  const name = `${serverNames[kind]}${version === undefined ? "" : ` ${version}`}`;
  const limit = facts.maxTokens === undefined ? "" : `, texts of up to ${facts.maxTokens} tokens`;
  const served =
    facts.serves === undefined
      ? ""
      : ` It answers with \`${facts.serves}\`, whatever \`model\` says: check that this is the model.`;
  const warnings = [mismatch(facts), wrongVersion(facts), cutting(facts)];
  return [
    { level: "info", message: `\`${shown}\` is ${name}${limit}.${served}` },
    ...warnings.flatMap((message): ComponentNote[] =>
      message === undefined ? [] : [{ level: "warning", message: `\`${shown}\`: ${message}` }],
    ),
  ];
}

/** A model whose tokenizer appends an end token gave one token less for a probe text. */
export function missingEndNote(shown: string): ComponentNote {
  return {
    level: "warning",
    message:
      `\`${shown}\`: the server reads texts without the end token \`<|endoftext|>\` that the model was trained with, ` +
      "and its vectors are worse for it. The usual cause is an old GGUF file, or one without " +
      "`tokenizer.ggml.add_eos_token`: use a newer file of the model, then embed everything again.",
  };
}

/** What a person should know of a server that was to be sent ids, and is not. */
export function idsDoubtNote(shown: string, doubt: string): ComponentNote {
  return {
    level: "warning",
    message:
      `\`${shown}\` is sent texts in spite of \`input: tokens\`: ${doubt}. Give \`tokenizer_file\` the ` +
      "`tokenizer.json` of exactly the model that is served, or leave `input` out.",
  };
}

function mismatch({ kind, looksLike }: ServerFacts): string | undefined {
  if (kind === undefined || looksLike === undefined) return undefined;
  return `\`server\` says ${serverNames[kind]}, but it answers as ${serverNames[looksLike]} does. Check \`server\`.`;
}

function wrongVersion({ kind, version }: ServerFacts): string | undefined {
  const [, major, minor] = /^v?(\d+)\.(\d+)/.exec(version ?? "") ?? [];
  if (kind !== "vllm" || major === undefined || minor === undefined) return undefined;
  const [wantedMajor, wantedMinor] = rightVllm;
  const older =
    Number(major) < wantedMajor || (Number(major) === wantedMajor && Number(minor) < wantedMinor);
  if (!older) return undefined;
  return (
    `vLLM ${version} gives wrong vectors for texts that it reads in parts (chunked prefill, on by default). ` +
    "Use 0.26 or later, or start it with `--enforce-eager`, and embed everything again."
  );
}

function cutting({ kind, cuts, maxTokens }: ServerFacts): string | undefined {
  if (!cuts || kind === undefined) return undefined;
  if (maxTokens === undefined) {
    return (
      `${serverNames[kind]} cuts texts in silence and does not tell its limit. Longer texts than \`context_tokens\` are ` +
      "refused before they are sent: set it to the length that the server really takes."
    );
  }
  if (kind !== "sglang") return undefined;
  return (
    "it was started with `--allow-auto-truncate`, which cuts the end token off. Longer texts are refused before they " +
    "are sent; better start it without."
  );
}
