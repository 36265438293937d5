import { AssertionError } from "node:assert";

/** What a law may use while it runs. */
export interface LawContext {
  /** Aborts when the law is over or has run out of time. */
  readonly signal: AbortSignal;
  /** Runs after the law, the last one first, also when the law failed. */
  defer(cleanup: () => unknown): void;
}

/** A promise of a contract, as a sentence that can be false. */
export interface Law {
  readonly name: string;
  /** Rejects with an `AssertionError` that shows the received value beside the expected one. */
  run(context: LawContext): Promise<void>;
}

/** A law before it is bound to a harness. `needs` names the optional parts of the harness that it cannot do without. */
export interface LawDefinition<Harness> {
  readonly name: string;
  readonly needs: readonly string[];
  run(harness: Harness, context: LawContext): Promise<void>;
}

/**
 * What a component does not support, with the reason. Keys are optional parts of the harness (a capability that is
 * not there) or names of laws (a promise that is knowingly not kept). A waiver that is no longer needed fails.
 */
export type Waivers = Readonly<Record<string, string>>;

/** What every harness has. */
export interface LawHarness {
  readonly notSupported?: Waivers;
}

type Capability<Harness> = {
  [Key in keyof Harness]-?: undefined extends Harness[Key] ? Key : never;
}[keyof Harness] &
  string;

type Provided<Harness, Key extends keyof Harness> = Harness & {
  readonly [Name in Key]-?: NonNullable<Harness[Name]>;
};

/** Declares laws of one kind of component. */
export interface LawBook<Harness> {
  readonly definitions: readonly LawDefinition<Harness>[];
  law(name: string, run: (harness: Harness, context: LawContext) => Promise<void>): void;
  /** A law that applies only to harnesses that have these parts. */
  lawWith<Key extends Capability<Harness>>(
    needs: readonly Key[],
    name: string,
    run: (harness: Provided<Harness, Key>, context: LawContext) => Promise<void>,
  ): void;
}

/** Begins a book of laws. */
export function lawBook<Harness>(): LawBook<Harness> {
  const definitions: LawDefinition<Harness>[] = [];
  return {
    definitions,
    law: (name, run) => definitions.push({ name, needs: [], run }),
    lawWith: (needs, name, run) =>
      definitions.push({
        name,
        needs,
        // `bindLaws` calls it only when every part that it needs is there.
        run: (harness, context) =>
          run(harness as Provided<Harness, (typeof needs)[number]>, context),
      }),
  };
}

/**
 * Ties laws to a harness. A law whose needs the harness lacks fails, unless a waiver gives the reason; then it is left
 * out, and the law about waivers names it.
 */
export function bindLaws<Harness extends LawHarness>(
  harness: Harness,
  definitions: readonly LawDefinition<Harness>[],
): Law[] {
  const waivers = harness.notSupported ?? {};
  const laws = definitions.flatMap((definition) => bindLaw(harness, definition, waivers));
  const waived = Object.keys(waivers);
  if (waived.length === 0) return laws;
  const name = `does without ${waived.map((key) => `\`${key}\` (${waivers[key]})`).join(", ")}`;
  return [...laws, { name, run: async () => checkWaivers(harness, definitions, waivers) }];
}

function bindLaw<Harness extends LawHarness>(
  harness: Harness,
  definition: LawDefinition<Harness>,
  waivers: Waivers,
): Law[] {
  const { name, needs } = definition;
  const missing = needs.filter((need) => harness[need as keyof Harness] === undefined);
  if (missing.length > 0 && missing.every((need) => Object.hasOwn(waivers, need))) return [];
  if (missing.length > 0) return [{ name, run: async () => failMissing(missing) }];
  if (Object.hasOwn(waivers, name)) {
    return [{ name: `breaks: ${name}`, run: (context) => runWaived(harness, definition, context) }];
  }
  return [{ name, run: (context) => definition.run(harness, context) }];
}

function failMissing(missing: readonly string[]): never {
  const list = missing.map((need) => `\`${need}\``).join(", ");
  throw new AssertionError({
    message: `The harness has no ${list}. Provide it, or say under \`notSupported\` why the component does without.`,
  });
}

async function runWaived<Harness>(
  harness: Harness,
  definition: LawDefinition<Harness>,
  context: LawContext,
): Promise<void> {
  try {
    await definition.run(harness, context);
  } catch (error) {
    if (error instanceof AssertionError) return;
    throw error;
  }
  throw new AssertionError({
    message: `The waiver of "${definition.name}" is stale: the law holds. Remove the waiver.`,
  });
}

function checkWaivers<Harness extends LawHarness>(
  harness: Harness,
  definitions: readonly LawDefinition<Harness>[],
  waivers: Waivers,
): void {
  const capabilities = new Set(definitions.flatMap((definition) => definition.needs));
  const names = new Set(definitions.map((definition) => definition.name));
  for (const [key, reason] of Object.entries(waivers)) {
    if (reason.trim() === "") {
      throw new AssertionError({ message: `The waiver of \`${key}\` gives no reason.` });
    }
    if (capabilities.has(key) && harness[key as keyof Harness] !== undefined) {
      throw new AssertionError({
        message: `The waiver of \`${key}\` is stale: the harness provides it. Remove the waiver.`,
      });
    }
    if (!capabilities.has(key) && !names.has(key)) {
      throw new AssertionError({ message: `The waiver of \`${key}\` names no capability or law.` });
    }
  }
}
