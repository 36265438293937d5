import type { EmbedderLimits, Embeddings } from "../../../src/contracts/index.ts";
import { mergeParts } from "../../../src/embedding/index.ts";
import { assert, Fault } from "../../../src/faults/index.ts";
import type { PartPlan, TextRow } from "./part-plan.ts";

export interface RowSending {
  readonly limits: Pick<EmbedderLimits, "textsPerCall" | "tokensPerCall">;
  readonly plan: Pick<PartPlan, "limit" | "halve">;
  /** Every part goes in a request of its own, so that its token count shows whether it was cut. */
  readonly partsAlone: boolean;
  /** Sends one request. */
  send(input: readonly string[]): Promise<Embeddings>;
}

interface Found {
  readonly row: TextRow;
  readonly vector: Float32Array;
}

/**
 * Embeds rows in as many requests as they need, and gives one vector for each text: a text's own, or the mean of its
 * parts. Parts that a server refuses as too long are halved. Rejects with the advice for a call of so many texts.
 */
export async function embedRows(
  rows: readonly TextRow[],
  texts: number,
  sending: RowSending,
): Promise<Embeddings> {
  try {
    const sender = new RowSender(sending);
    const found = await sender.embedAll(rows);
    const { tokens } = sender;
    return { vectors: merged(found, texts), ...(tokens === undefined ? {} : { tokens }) };
  } catch (error) {
    throw adviseFor(error, texts, sending.plan.limit);
  }
}

class RowSender {
  /** What the servers counted; undefined once one did not. */
  tokens: number | undefined = 0;
  readonly #sending: RowSending;

  constructor(sending: RowSending) {
    this.#sending = sending;
  }

  async embedAll(rows: readonly TextRow[]): Promise<readonly Found[]> {
    const found: Found[] = [];
    for (const group of this.#groups(rows)) found.push(...(await this.#embedGroup(group)));
    return found;
  }

  /** Rows that go in one request. Texts that all fit are one call already, which whoever made it kept within limits. */
  #groups(rows: readonly TextRow[]): readonly (readonly TextRow[])[] {
    if (rows.every(({ isWhole }) => isWhole)) return [rows];
    const { limits, partsAlone } = this.#sending;
    const groups: TextRow[][] = [];
    let tokens = 0;
    for (const row of rows) {
      const group = groups.at(-1);
      const isFull = group !== undefined && group.length >= limits.textsPerCall;
      const isAlone = partsAlone && (!row.isWhole || group?.[0]?.isWhole === false);
      if (group === undefined || isFull || isAlone || tokens + row.tokens > limits.tokensPerCall) {
        groups.push([row]);
        tokens = row.tokens;
      } else {
        group.push(row);
        tokens += row.tokens;
      }
    }
    return groups;
  }

  async #embedGroup(group: readonly TextRow[]): Promise<readonly Found[]> {
    try {
      const { vectors, tokens } = await this.#sending.send(group.map(({ input }) => input));
      this.tokens =
        this.tokens === undefined || tokens === undefined ? undefined : this.tokens + tokens;
      return group.map((row, index) => {
        const vector = vectors[index];
        assert(vector !== undefined, "An answer has a vector for each text.");
        return { row, vector };
      });
    } catch (error) {
      const smaller = await this.#smaller(group, error);
      if (smaller === undefined) throw error;
      const found: Found[] = [];
      for (const rows of smaller) found.push(...(await this.#embedGroup(rows)));
      return found;
    }
  }

  /** What to send instead of a group that was refused; undefined when the refusal stands. */
  async #smaller(
    group: readonly TextRow[],
    error: unknown,
  ): Promise<readonly (readonly TextRow[])[] | undefined> {
    if (!(error instanceof Fault) || error.scope !== "document") return undefined;
    if (group.every(({ isWhole }) => isWhole)) return undefined;
    const [row] = group;
    if (group.length > 1) {
      const middle = group.length >> 1;
      return [group.slice(0, middle), group.slice(middle)];
    }
    if (row === undefined || error.code !== "embed.too-long") return undefined;
    return (await this.#sending.plan.halve(row))?.map((half) => [half]);
  }
}

function merged(found: readonly Found[], texts: number): readonly Float32Array[] {
  const parts = Array.from({ length: texts }, (): { vector: Float32Array; tokens: number }[] => []);
  for (const { row, vector } of found) parts[row.text]?.push({ vector, tokens: row.tokens });
  return parts.map((list) => {
    const [first] = list;
    assert(first !== undefined, "Every text has a row.");
    return list.length === 1 ? first.vector : mergeParts(list);
  });
}

/** A text at fault among several is looked for by halving the call; alone, it is the one. */
function adviseFor(error: unknown, texts: number, limit: number): unknown {
  if (!(error instanceof Fault) || error.scope !== "document") return error;
  const { code, cause } = error;
  const hint =
    `It takes less than was expected: texts are cut beyond ${limit} tokens. Set \`context_tokens\` to what it ` +
    "really takes.";
  const message = code === "embed.too-long" ? `${error.message} ${hint}` : error.message;
  return new Fault(code, message, { cause, retry: texts > 1 ? "smaller" : "never" });
}
