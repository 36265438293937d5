import type { Block, DocumentRef, Parser, ParserEvent } from "../contracts/index.ts";
import { checkEqual, checkFault, checkPrompt, checkRejects, checkThat } from "./check.ts";
import { abortedSignal, collect, streamOf } from "./check.ts";
import { bindLaws, lawBook, type Law, type LawContext, type LawHarness } from "./law.ts";
import { Fault } from "../faults/index.ts";

/** A document and what must be found in it. */
export interface ParserSample {
  readonly name: string;
  readonly mediaType: string;
  readonly bytes: Uint8Array;
  /** Pieces of text, each in one block, that must occur in this order and each once; short words will do. */
  readonly texts: readonly string[];
  /** The headings, in order. */
  readonly headings?: readonly string[];
  readonly title?: string;
}

/** How the laws make a parser, and what they let it read. */
export interface ParserHarness extends LawHarness {
  parser(context: LawContext): Promise<Parser>;
  /** At least one; together they should hold every kind of block. */
  readonly samples: readonly ParserSample[];
  /** Contents without anything to read, for instance no bytes at all. */
  readonly empty: readonly Pick<ParserSample, "name" | "mediaType" | "bytes">[];
  /** Contents that are not what their type says. */
  readonly malformed?: readonly Pick<ParserSample, "name" | "mediaType" | "bytes">[];
}

const book = lawBook<ParserHarness>();
const { law, lawWith } = book;

law("loses, doubles and reorders nothing of its samples", async (harness, context) => {
  for (const sample of harness.samples) {
    const blocks = blocksOf(await parse(await harness.parser(context), sample, context));
    const text = blocks.map((block) => block.text).join("\n\n");
    let position = 0;
    for (const piece of sample.texts) {
      const what = `${JSON.stringify(piece)} in "${sample.name}"`;
      checkEqual(text.split(piece).length - 1, 1, `how often the blocks hold ${what}`);
      const found = text.indexOf(piece);
      checkThat(found >= position, `the place of ${what}`, found, `${position} or later`);
      checkEqual(
        blocks.some((block) => block.text.includes(piece)),
        true,
        `one block with ${what}`,
      );
      position = found;
    }
  }
});

law("yields well-formed blocks", async (harness, context) => {
  for (const sample of harness.samples) {
    const blocks = blocksOf(await parse(await harness.parser(context), sample, context));
    for (const [index, block] of blocks.entries())
      checkBlock(block, `block ${index} of "${sample.name}"`);
  }
});

law("gives every block the heading path in which it stands", async (harness, context) => {
  for (const sample of harness.samples) {
    const blocks = blocksOf(await parse(await harness.parser(context), sample, context));
    let path: readonly string[] = [];
    for (const [index, block] of blocks.entries()) {
      const what = `the headings of block ${index} of "${sample.name}"`;
      if (block.kind === "heading") {
        checkEqual(block.headings.at(-1), block.text, `the last of ${what}`);
        const above = block.headings.slice(0, -1);
        checkEqual(above, path.slice(0, above.length), `all but the last of ${what}`);
        path = block.headings;
      } else {
        checkEqual(block.headings, path, what);
      }
    }
    const headings = blocks.filter((block) => block.kind === "heading").map((block) => block.text);
    if (sample.headings !== undefined) {
      checkEqual(headings, sample.headings, `the headings of "${sample.name}"`);
    }
  }
});

law("says the properties at most once and before the first block", async (harness, context) => {
  for (const sample of harness.samples) {
    const events = await parse(await harness.parser(context), sample, context);
    const places = events.flatMap((event, index) => (event.kind === "properties" ? [index] : []));
    checkThat(
      places.length <= 1,
      `the properties of "${sample.name}"`,
      places.length,
      "at most one",
    );
    const first = events.findIndex((event) => event.kind === "block");
    const late = places.filter((place) => first !== -1 && place > first);
    checkEqual(late, [], `properties of "${sample.name}" after its first block`);
    const properties = events.flatMap((event) =>
      event.kind === "properties" ? [event.properties] : [],
    );
    checkEqual(JSON.parse(JSON.stringify(properties)), properties, "the properties as JSON");
    if (sample.title !== undefined) checkEqual(properties[0]?.title, sample.title, "the title");
  }
});

law("says the same again, and from another parser", async (harness, context) => {
  const [first, second] = [await harness.parser(context), await harness.parser(context)];
  for (const sample of harness.samples) {
    const once = await parse(first, sample, context);
    checkEqual(await parse(first, sample, context), once, `"${sample.name}" again`);
    checkEqual(await parse(second, sample, context), once, `"${sample.name}" by another parser`);
  }
});

law("says the same however its content is cut into pieces", async (harness, context) => {
  const parser = await harness.parser(context);
  for (const sample of harness.samples) {
    const once = await parse(parser, sample, context);
    for (const size of [1, 7, 1000]) {
      const pieces = parser.parse(documentOf(sample), cut(sample.bytes, size), context.signal);
      checkEqual(await collect(pieces), once, `"${sample.name}" in pieces of ${size} bytes`);
    }
  }
});

law("keeps documents apart that are parsed at the same time", async (harness, context) => {
  const parser = await harness.parser(context);
  const alone: ParserEvent[][] = [];
  for (const sample of harness.samples) alone.push(await parse(parser, sample, context));
  const together = await Promise.all(
    harness.samples.map((sample) =>
      collect(parser.parse(documentOf(sample), cut(sample.bytes, 13), context.signal)),
    ),
  );
  checkEqual(together, alone, "the events of all samples");
});

law("yields no block of a document without text", async (harness, context) => {
  for (const sample of harness.empty) {
    const blocks = blocksOf(await parse(await harness.parser(context), sample, context));
    checkEqual(blocks, [], `the blocks of "${sample.name}"`);
  }
});

lawWith(
  ["malformed"],
  "rejects what is not of its type as that document's fault",
  async (harness, context) => {
    const parser = await harness.parser(context);
    for (const sample of harness.malformed) {
      const fault = await checkFault(parse(parser, sample, context), `"${sample.name}"`, "parse.");
      checkEqual(fault.scope, "document", `the scope of the fault of "${sample.name}"`);
    }
    for (const sample of harness.samples.slice(0, 1)) await parse(parser, sample, context);
  },
);

law("passes on the fault of a content that breaks off", async (harness, context) => {
  const parser = await harness.parser(context);
  for (const sample of harness.samples) {
    const fault = new Fault("source.vanished", "The law takes the document away.");
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield sample.bytes.slice(0, Math.ceil(sample.bytes.length / 2));
      throw fault;
    }
    const parsed = collect(parser.parse(documentOf(sample), broken(), context.signal));
    const error = await checkRejects(parsed, `"${sample.name}" breaking off`);
    checkEqual(error === fault, true, `whether the fault of "${sample.name}" is the content's`);
  }
});

law("ends promptly when its signal aborts, and closes the content", async (harness, context) => {
  const parser = await harness.parser(context);
  for (const sample of harness.samples.slice(0, 3)) {
    const controller = new AbortController();
    const content = endless(sample.bytes, () => controller.abort(new Error("The law aborts.")));
    const parsed = collect(parser.parse(documentOf(sample), content.stream, controller.signal));
    const outcome = await checkPrompt(parsed, `"${sample.name}" aborted`);
    checkThat("error" in outcome, `"${sample.name}" aborted`, outcome, "a rejection");
    await checkPrompt(content.closed, `the closing of the content of "${sample.name}"`);
    const never = collect(
      parser.parse(documentOf(sample), streamOf([sample.bytes]), abortedSignal()),
    );
    await checkRejects(never, `"${sample.name}" whose signal had aborted`);
  }
});

law("closes the content when its reader stops early", async (harness, context) => {
  const parser = await harness.parser(context);
  for (const sample of harness.samples.slice(0, 3)) {
    let closed = false;
    async function* content(): AsyncGenerator<Uint8Array> {
      try {
        for (let start = 0; start < sample.bytes.length; start += 16) {
          yield sample.bytes.slice(start, start + 16);
        }
      } finally {
        closed = true;
      }
    }
    for await (const event of parser.parse(documentOf(sample), content(), context.signal)) {
      if (event.kind === "block") break;
    }
    checkEqual(closed, true, `whether the content of "${sample.name}" was closed`);
  }
});

law("names media types in lower case, and closes twice", async (harness, context) => {
  const parser = await harness.parser(context);
  checkThat(parser.mediaTypes.length > 0, "the media types", parser.mediaTypes, "at least one");
  for (const mediaType of parser.mediaTypes) {
    const plain = /^[a-z0-9][a-z0-9.+-]*\/(\*|[a-z0-9][a-z0-9.+-]*)$/.test(mediaType);
    checkThat(plain, "a media type", mediaType, "`type/subtype` or `type/*`");
  }
  await parser.close();
  await parser.close();
});

function checkBlock(block: Block, what: string): void {
  const { text, page, headerLines } = block;
  checkThat(text.trim() !== "", `the text of ${what}`, text, "something to read");
  checkEqual(text.isWellFormed(), true, `whether the text of ${what} is well-formed`);
  checkEqual(text.includes("\r"), false, `whether ${what} has a carriage return`);
  checkThat(page === undefined || page >= 1, `the page of ${what}`, page, "1 or more");
  if (headerLines !== undefined) {
    checkEqual(block.kind, "table", `the kind of ${what}, which has header lines`);
    const lines = text.split("\n").length;
    checkThat(headerLines <= lines, `the header lines of ${what}`, headerLines, `at most ${lines}`);
  }
  if (block.language !== undefined) checkEqual(block.kind, "code", `the kind of ${what}`);
  for (const heading of block.headings) {
    checkThat(heading.trim() !== "", `a heading of ${what}`, heading, "something to read");
  }
}

function parse(
  parser: Parser,
  sample: Pick<ParserSample, "name" | "mediaType" | "bytes">,
  context: LawContext,
): Promise<ParserEvent[]> {
  return collect(parser.parse(documentOf(sample), streamOf([sample.bytes]), context.signal));
}

function documentOf(sample: Pick<ParserSample, "name" | "mediaType" | "bytes">): DocumentRef {
  return {
    id: sample.name,
    revision: "1",
    mediaType: sample.mediaType,
    metadata: {},
    content: {
      kind: "bytes",
      open: () => streamOf([sample.bytes]),
      sizeBytes: sample.bytes.length,
    },
  };
}

function blocksOf(events: readonly ParserEvent[]): Block[] {
  return events.flatMap((event) => (event.kind === "block" ? [event.block] : []));
}

function cut(bytes: Uint8Array, size: number): AsyncIterable<Uint8Array> {
  const count = Math.ceil(bytes.length / size);
  const pieces = Array.from({ length: count }, (_, index) =>
    bytes.slice(index * size, (index + 1) * size),
  );
  return streamOf(pieces);
}

/** A content that goes on for ever; calls `onSecond` when its second piece is asked for. */
function endless(bytes: Uint8Array, onSecond: () => void) {
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  let asked = 0;
  async function* stream(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) {
        asked += 1;
        if (asked === 2) onSecond();
        // Lets timers and signals through, as a real file or socket would.
        await new Promise((go) => setImmediate(go));
        yield bytes;
      }
    } finally {
      resolve();
    }
  }
  return { stream: stream(), closed };
}

/** What every parser promises. */
export function parserLaws(harness: ParserHarness): Law[] {
  return bindLaws(harness, book.definitions);
}
