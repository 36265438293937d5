import { resolve } from "node:path";
import type { z } from "zod";
import type { ConnectorContext, Source, SourceEvent } from "../../../src/contracts/index.ts";
import { Fault } from "../../../src/faults/index.ts";
import type { filesConfig } from "./config.ts";
import { lookupFiles } from "./lookup.ts";
import { defaultInclude } from "./media-types.ts";
import { createRoot } from "./root.ts";
import { createSelection, type Selection } from "./selection.ts";
import { listFiles, type Listing } from "./walk.ts";
import { FolderWatcher } from "./watcher.ts";

/**
 * Reads a folder. A listing takes no cursor: it opens no file and begins anew faster than it could be resumed.
 */
export function createFilesSource(
  config: z.output<typeof filesConfig>,
  context: ConnectorContext,
): Source {
  const closing = new AbortController();
  const listing: Listing = {
    root: createRoot(config.root, context.folder, context.name),
    selection: createSelection(config),
    clock: context.clock,
  };
  const rootAlone: Listing = { ...listing, selection: nothing };
  const bound = (signal: AbortSignal): AbortSignal => AbortSignal.any([signal, closing.signal]);

  return {
    identity: listing.root.identity,
    whenEmpty: whenEmpty(config, resolve(context.folder, config.root)),
    async check(signal) {
      for await (const event of listFiles(rootAlone, bound(signal))) void event;
    },
    async *read({ follow }, signal) {
      const bounded = bound(signal);
      if (follow) yield* followFiles(listing, config.poll_interval_ms, bounded);
      else yield* listOnce(listing, bounded);
    },
    async *lookup(documentIds, signal) {
      yield* lookupFiles(documentIds, listing, bound(signal));
    },
    close() {
      closing.abort(new Fault("aborted", `The source \`${context.name}\` was closed.`));
      return Promise.resolve();
    },
  };
}

function whenEmpty({ include, exclude }: z.output<typeof filesConfig>, root: string): string {
  const globs = (include ?? [defaultInclude]).map((glob) => `\`${glob}\``).join(", ");
  const left = exclude === undefined ? "" : ", or `exclude` leaves out all that do";
  const check = exclude === undefined ? "`root` and `include`" : "`root`, `include` and `exclude`";
  return `No file in \`${root}\` matches ${globs}${left}. Check ${check}.`;
}

/** Selects nothing: a listing with it reads the names in the root and no more. */
const nothing: Selection = { matches: () => false, enters: () => false, selects: () => false };

async function* listOnce(
  listing: Listing,
  signal: AbortSignal,
): AsyncGenerator<SourceEvent, void, undefined> {
  yield { kind: "listing", resumed: false };
  yield* listFiles(listing, signal);
  yield { kind: "end", listing: "complete" };
}

/** Lists again after every change: a listing costs less than finding out what a burst of changes did. */
async function* followFiles(
  listing: Listing,
  pollMs: number,
  signal: AbortSignal,
): AsyncGenerator<SourceEvent, void, undefined> {
  const watcher = new FolderWatcher(listing.selection, listing.clock);
  const watched: Listing = {
    ...listing,
    onFolder: (path, folder, stats) => watcher.add(path, folder, stats),
  };
  try {
    for (;;) {
      yield* listOnce(watched, signal);
      watcher.endListing();
      await watcher.change(pollMs, signal);
    }
  } finally {
    watcher.close();
  }
}
