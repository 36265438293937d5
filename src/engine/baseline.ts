import type { StateSession } from "../contracts/index.ts";

/**
 * How many documents of a source the targets hold: the most that one of them does. What only a collection of the past
 * held does not count, or the guard would let too much go.
 */
export async function documentsHeld(
  session: StateSession,
  source: string,
  targets: readonly string[],
): Promise<number> {
  const counts = await Promise.all(targets.map((target) => session.count({ source, target })));
  return Math.max(0, ...counts);
}

/**
 * How many documents of a source the guard goes by: those held now, but no more than its baseline, the number held when
 * its deletions were last in order. What came since makes no room for deletions, in this run or a later one: a folder
 * that was replaced by a larger one would otherwise lose everything unasked.
 */
export async function guardedDocuments(
  session: StateSession,
  source: string,
  targets: readonly string[],
): Promise<number> {
  const held = await documentsHeld(session, source, targets);
  const baseline = await session.value(baselineKey(source));
  return typeof baseline === "number" ? Math.min(held, baseline) : held;
}

/** Sets the baseline to what is held now. */
export async function setBaseline(
  session: StateSession,
  source: string,
  targets: readonly string[],
): Promise<void> {
  const key = baselineKey(source);
  const value = await documentsHeld(session, source, targets);
  if ((await session.value(key)) === value) return;
  await session.commit([{ kind: "value", key, value }], { durable: false });
}

/** Sets the baseline of a source that has none though documents are held: adopted, or renamed. */
export async function ensureBaseline(
  session: StateSession,
  source: string,
  targets: readonly string[],
): Promise<void> {
  if (typeof (await session.value(baselineKey(source))) === "number") return;
  if ((await documentsHeld(session, source, targets)) > 0) {
    await setBaseline(session, source, targets);
  }
}

function baselineKey(source: string): string {
  return `baseline:${source}`;
}
