import type { Tokenizer } from "../../../src/contracts/index.ts";
import { Fault } from "../../../src/faults/index.ts";

export interface LongestText {
  /** The server's address for messages. */
  readonly shown: string;
  /** The most tokens of a text, those that the model adds included. */
  readonly maxTokens: number;
  /** How many of them the model adds. */
  readonly specialTokens: number;
  /** Longer texts would be cut in silence, so that an estimate has to do where no exact count is to be had. */
  readonly cuts: boolean;
}

/**
 * Refuses texts that the server would cut, or refuse for its whole request. Only texts that may be too long are counted:
 * no token is shorter than a byte.
 */
export async function refuseTooLong(
  input: readonly string[],
  longest: LongestText,
  tokenizer: Tokenizer,
): Promise<void> {
  const room = longest.maxTokens - longest.specialTokens;
  if (!tokenizer.exact && !longest.cuts) return;
  const doubtful = input.filter((text) => text.length * 3 > room && Buffer.byteLength(text) > room);
  if (doubtful.length === 0) return;
  const counts = await tokenizer.countBatch(doubtful);
  const most = Math.max(...counts);
  if (most <= room) return;
  const which = input.length === 1 ? "A text" : "One of the texts";
  throw new Fault(
    "embed.too-long",
    `${which} has ${most} tokens, and the embedding server at \`${longest.shown}\` reads ${room} of one. ` +
      "Nothing was sent. Lower `chunker.max_tokens`, or raise the server's limit.",
    { retry: input.length === 1 ? "never" : "smaller" },
  );
}

/** What a server that cuts in silence reports of a text that it has cut may be a few tokens below its limit. */
const fewTokens = 2;

/** Refuses the vector of a text of which a server, by its own count, read as much as it reads of any. */
export function refuseCut(counted: number | undefined, { shown, maxTokens }: LongestText): void {
  if (counted === undefined || counted < maxTokens - fewTokens) return;
  throw new Fault(
    "embed.too-long",
    `The embedding server at \`${shown}\` counts ${counted} tokens of a text, and cuts in silence at ${maxTokens}: it may ` +
      "have read only its beginning. Lower `chunker.max_tokens`, or raise the server's limit.",
    { retry: "never" },
  );
}
