import type { DocumentKey, DocumentRef, DocumentRow, FaultLike } from "../contracts/index.ts";
import { assert, isFault } from "../faults/index.ts";
import { join } from "../flow/index.ts";
import { applyToTarget } from "./apply.ts";
import { deadLetter, nameOf, stageOf, summaryOf } from "./failures.ts";
import type { PipelineSource } from "./pipeline.ts";
import { prepare } from "./prepare.ts";
import { failureRevision, reconcile, staleTargets, type TargetVersion } from "./reconcile.ts";
import type { Run } from "./run-parts.ts";
import type { Target } from "./targets.ts";
import { metadataHash, versionOf } from "./versions.ts";
import type { ReadBack } from "./vectors.ts";

/** A target with the version base that holds for one recipe. */
type Place = TargetVersion & { readonly target: Target };

/** A document with everything that was found out about it before it is opened. */
export interface Work {
  readonly source: PipelineSource;
  readonly document: DocumentRef;
  readonly row: DocumentRow | undefined;
  readonly metadata: string;
  readonly recipe: string;
  readonly places: readonly Place[];
}

/** Puts together what reconciling and ingesting a document need. */
export function workOf(
  run: Run,
  source: PipelineSource,
  document: DocumentRef,
  row: DocumentRow | undefined,
): Work {
  const recipe = run.recipes.of(source, document);
  return {
    source,
    document,
    row,
    metadata: metadataHash(document, source.metadata),
    recipe: recipe.id,
    places: run.targets.map((target): Place => {
      return { id: target.id, base: recipe.baseFor(target.shape), target };
    }),
  };
}

/** Whether no sink of the file is left out of this run. */
export function hasAllSinks(run: Run): boolean {
  return run.targets.length === run.context.pipeline.sinks.size;
}

/** What `reconcile` says of the work. */
export function decide(run: Run, work: Work): ReturnType<typeof reconcile>["kind"] {
  const { document, row, metadata, recipe, places } = work;
  const full = run.context.options.full === true;
  return reconcile({ document, row, metadata, recipe, targets: places, full }).kind;
}

/** Milliseconds until the document may be written everywhere it has to be. */
export function waitForHorizon(run: Run, key: DocumentKey, row: DocumentRow | undefined): number {
  let wait = 0;
  for (const target of run.targets) {
    if (target.fault !== undefined) continue;
    wait = Math.max(wait, run.horizon.remainingMs(target, key, row?.targets.get(target.id)));
  }
  return wait;
}

/**
 * Brings one document from its source to every target, as a straight line. Resolves when it is settled, recorded as
 * failed, or durably owed; rejects only for bugs and aborts.
 */
export async function ingest(run: Run, work: Work): Promise<void> {
  const { context } = run;
  const { document, source } = work;
  const size = Math.min(document.content.sizeBytes ?? 0, 8 * 1024 * 1024);
  const leave = await context.memory.enter(64 * 1024 + size * 8, context.signal);
  const key = { source: source.name, id: document.id };
  try {
    await bring(run, work, key);
  } catch (error) {
    if (!isFault(error) || context.signal.aborted) throw error;
    if (error.scope === "component") {
      // The run is ending; the document keeps its old version, and is owed.
      await context.session.commit([{ kind: "document", key, set: { owed: true } }]);
      context.fail(`sources.${source.name}`, error);
      return;
    }
    await recordFailure(run, work, key, error);
  } finally {
    leave();
  }
}

async function bring(run: Run, work: Work, key: DocumentKey): Promise<void> {
  const { document, row, source, metadata, places } = work;
  const staleFor = (content: string): readonly Place[] =>
    staleTargets(row, places, content, metadata);
  const preparation = await prepare(run, {
    source,
    document,
    row,
    readBack: readBackFrom(run, row),
    isCurrent: (content) => staleFor(content).length === 0,
  });
  if (preparation.kind === "current") {
    return finish(run, work, key, preparation.content, "unchanged");
  }
  const { document: prepared } = preparation;
  try {
    const stale = staleFor(prepared.content);
    const faults = await join(
      stale.map(({ target, base }) => {
        const version = versionOf(base, prepared.content, metadata);
        const held = row?.targets.get(target.id);
        return applyToTarget(run, target, key, held, { version, document: prepared });
      }),
    );
    const failed = stale.flatMap(({ target }, index): WriteFailure[] => {
      const fault = faults[index];
      return fault === undefined ? [] : [{ target, fault }];
    });
    if (failed.length === 0) {
      const written = row === undefined || row.content === "" ? "added" : "updated";
      // Rows and very large documents are known to be current only when they were read.
      const outcome = stale.length === 0 ? "unchanged" : written;
      return await finish(run, work, key, prepared.content, outcome);
    }
    await recordWriteFailure(run, work, key, prepared.content, failed);
  } finally {
    await prepared.spool.close();
  }
}

/** Records what was read, now that every active target holds it. */
async function finish(
  run: Run,
  work: Work,
  key: DocumentKey,
  content: string,
  outcome: "added" | "updated" | "unchanged",
): Promise<void> {
  const { context } = run;
  // A sink that this run leaves out may still be owed the document.
  const owed = work.row?.owed === true && !hasAllSinks(run);
  const entry = context.ledger.entry(key, work.row, outcome);
  const set = { ...observed(work, content), owed, failure: undefined, ...entry.set };
  await context.session.commit([{ kind: "document", key, set }], { durable: false });
  entry.enter();
  context.emit({ kind: "document-settled", document: nameOf(key), outcome });
}

function observed(work: Work, content: string): Pick<DocumentRow, "revision" | "content" | "gone"> {
  const { document } = work;
  const revision = document.provisional === true ? undefined : document.revision;
  return { revision, content, gone: false };
}

/** Some target did not settle: the others hold the new version, this one is owed it. */
async function recordWriteFailure(
  run: Run,
  work: Work,
  key: DocumentKey,
  content: string,
  failed: readonly WriteFailure[],
): Promise<void> {
  const { session, tally, ledger } = run.context;
  const fault = gravest(failed);
  const read = { ...observed(work, content), owed: true };
  const refused = fault.scope === "document" && fault.retry !== "later";
  const lost = run.targets.some((target) => target.fault !== undefined);
  if (refused || lost) for (const { target } of failed) tally.sink(target.name).failed += 1;
  if (refused) {
    await session.commit([{ kind: "document", key, set: read }]);
    return recordFailure(run, work, key, fault, failed.some(isPassing));
  }
  // Not the document's fault: it was read, and is brought to the sink by the next try or the next run.
  const reason = summaryOf(key, fault, "write");
  const entry = ledger.entry(key, work.row, lost ? "failed" : "passing", { reason });
  const set = { ...read, failure: undefined, ...entry.set };
  await session.commit([{ kind: "document", key, set }]);
  entry.enter();
}

/** A sink that did not settle a document, and why. */
interface WriteFailure {
  readonly target: Target;
  readonly fault: FaultLike;
}

/** Whether the same write may succeed in another run. */
function isPassing({ fault }: WriteFailure): boolean {
  return fault.scope === "component" || fault.retry === "later";
}

/** Writes a dead letter; a passing fault is tried once more before the run ends. */
async function recordFailure(
  run: Run,
  work: Work,
  key: DocumentKey,
  fault: FaultLike,
  passing = false,
): Promise<void> {
  const { context } = run;
  const { row, document, metadata, recipe } = work;
  const stage = stageOf(fault);
  const revision = failureRevision(document, metadata);
  const letter = deadLetter(context, { row, fault, stage, revision, recipe, passing });
  const outcome = fault.retry === "later" ? "passing" : "failed";
  const entry = context.ledger.entry(key, row, outcome, letter);
  await context.session.commit([{ kind: "document", key, set: { ...letter, ...entry.set } }]);
  entry.enter();
}

function readBackFrom(run: Run, row: DocumentRow | undefined): ReadBack {
  const places = run.targets.flatMap((target) => {
    const ids = row?.targets.get(target.id)?.ids ?? [];
    return ids.length === 0 ? [] : [{ target, ids: new Set(ids) }];
  });
  return { places, dimension: Math.max(...run.targets.map((target) => target.dimension)) };
}

/** A document fault is told before a component fault, which is told by the component anyway. */
function gravest(failed: readonly WriteFailure[]): FaultLike {
  const faults = failed.map(({ fault }) => fault);
  const refused = faults.find((fault) => fault.scope === "document" && fault.retry !== "later");
  const worst = refused ?? faults.find((fault) => fault.scope === "document") ?? faults[0];
  assert(worst !== undefined, "A failed write has no fault.");
  return worst;
}
