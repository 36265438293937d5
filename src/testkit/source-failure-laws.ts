import type { SourceEvent } from "../contracts/index.ts";
import { isFault } from "../faults/index.ts";
import { abortedSignal, checkEqual, checkFault, checkPrompt, checkThat } from "./check.ts";
import { checkRejects, collect } from "./check.ts";
import { lawBook } from "./law.ts";
import { listAll, textOf, type SourceHarness } from "./source-harness.ts";

const book = lawBook<SourceHarness>();
const { law, lawWith } = book;

/** Laws about what cannot be read, and about stopping. */
export const sourceFailureLaws = book.definitions;

lawWith(
  ["hideFolder"],
  "reports an unreadable folder with its prefix and lists the rest",
  async (harness, context) => {
    const place = await harness.place(context);
    const kept = [await place.put("a/kept", "Kept."), await place.put("z/kept", "Kept.")];
    const hidden = [
      await place.put("m/hidden", "Hidden."),
      await place.put("m/n/hidden", "Hidden."),
    ];
    const prefix = await harness.hideFolder(place, "m");
    const source = await place.source();
    const { events, documents } = await listAll(source, context.signal);
    const ids = [...documents.keys()];
    const missing = [...kept, ...hidden].filter((id) => !ids.includes(id));
    for (const id of missing) {
      const covered = events.some((event) => covers(event, id));
      checkThat(
        covered,
        `what is said of \`${id}\``,
        "nothing",
        `a failure for it or for \`${prefix}\``,
      );
    }
    for (const id of kept) checkEqual(ids.includes(id), true, `whether \`${id}\` is listed`);
    const wide = events.filter((event) => kept.some((id) => covers(event, id)));
    checkEqual(wide, [], "failures that cover what can be read");
    for (const event of events) {
      if (event.kind === "failure") checkThat(isFault(event.fault), "a fault", event, "a `Fault`");
    }
  },
);

lawWith(
  ["hideFolder"],
  "never vouches that an unreadable document is gone",
  async (harness, context) => {
    const place = await harness.place(context);
    const id = await place.put("m/hidden", "Hidden.");
    await harness.hideFolder(place, "m");
    const source = await place.source();
    const listing = await listAll(source, context.signal);
    const looked = await collect(source.lookup([id], context.signal));
    const deletions = [...listing.events, ...looked].filter((event) => event.kind === "deletion");
    checkEqual(deletions, [], "the deletions of a listing and a lookup");
  },
);

lawWith(
  ["disconnect"],
  "rejects, and never ends a listing, when it cannot be reached",
  async (harness, context) => {
    const place = await harness.place(context);
    await place.put("folder/page", "Text.");
    const source = await place.source();
    await harness.disconnect(place);
    const events: SourceEvent[] = [];
    const read = async (): Promise<void> => {
      for await (const event of source.read({ follow: false }, context.signal)) events.push(event);
    };
    const fault = await checkFault(read(), "a listing of what is not there", "source.");
    checkEqual(fault.scope, "component", "the scope of the fault");
    const claims = events.filter((event) => event.kind === "end" || event.kind === "deletion");
    checkEqual(claims, [], "what it claimed before it failed");
    const checked = await checkFault(source.check(context.signal), "the check", "source.");
    checkEqual(checked.scope, "component", "the scope of the fault of the check");
  },
);

lawWith(
  ["disconnect"],
  "vouches for no deletion in a lookup when it cannot be reached",
  async (harness, context) => {
    const place = await harness.place(context);
    const id = await place.put("folder/page", "Text.");
    const source = await place.source();
    await harness.disconnect(place);
    const outcome = await checkPrompt(collect(source.lookup([id], context.signal)), "the lookup");
    if ("error" in outcome) {
      checkThat(isFault(outcome.error), "the rejection", outcome.error, "a `Fault`");
      return;
    }
    const kinds = outcome.value.map((event) => event.kind);
    checkEqual(kinds, ["failure"], "the events of the lookup");
  },
);

law("ends promptly when its signal aborts between events", async (harness, context) => {
  const place = await harness.place(context);
  for (let number = 0; number < 40; number += 1) await place.put(`folder/${number}`, "Text.");
  const source = await place.source();
  const controller = new AbortController();
  const events: SourceEvent[] = [];
  const read = async (): Promise<void> => {
    for await (const event of source.read({ follow: false }, controller.signal)) {
      events.push(event);
      if (events.length === 3) controller.abort(new Error("The law aborts."));
    }
  };
  await checkPrompt(read(), "the aborted listing");
  const ends = events.filter((event) => event.kind === "end");
  checkEqual(ends, [], "the ends of an aborted listing");
});

law("begins nothing when its signal has aborted", async (harness, context) => {
  const place = await harness.place(context);
  const id = await place.put("folder/page", "Text.");
  const source = await place.source();
  const { documents } = await listAll(source, context.signal);
  const read = collect(source.read({ follow: false }, abortedSignal()));
  const outcome = await checkPrompt(read, "the aborted listing");
  const events = "value" in outcome ? outcome.value : [];
  const claims = events.filter((event) => event.kind === "document" || event.kind === "end");
  checkEqual(claims, [], "what an aborted listing says");
  const document = documents.get(id);
  checkThat(document !== undefined, "the listed document", document, "a document");
  await checkRejects(textOf(document, abortedSignal()), "the aborted opening");
});

lawWith(
  ["follows"],
  "stops following promptly when its signal aborts",
  async (harness, context) => {
    const place = await harness.place(context);
    await place.put("folder/page", "Text.");
    const source = await place.source();
    const controller = new AbortController();
    const read = async (): Promise<void> => {
      for await (const event of source.read({ follow: true }, controller.signal)) {
        if (event.kind === "end")
          setImmediate(() => controller.abort(new Error("The law aborts.")));
      }
    };
    await checkPrompt(read(), "the aborted following");
  },
);

function covers(event: SourceEvent, id: string): boolean {
  if (event.kind !== "failure") return false;
  return "prefix" in event ? id.startsWith(event.prefix) : event.documentId === id;
}
