import type { ParserEvent } from "../../../../src/contracts/index.ts";
import { loadPipeline } from "../../../../src/index.ts";

/** Run as a process with little heap: source and parser of a pipeline read its one document; prints what they gave. */

const signal = new AbortController().signal;
const pipeline = await loadPipeline(process.argv[2] ?? "");
const docs = pipeline.sources.get("docs");
const parser = docs?.parsers.find(({ type }) => type === "text")?.parser;
if (docs === undefined || parser === undefined) throw new Error("The pipeline reads no text.");

let units = 0;
const warnings: string[] = [];
function take(event: ParserEvent): void {
  if (event.kind === "block") units += event.block.text.length;
  if (event.kind === "warning") warnings.push(event.warning.code);
}

for await (const event of docs.source.read({ follow: false }, signal)) {
  if (event.kind !== "document" || event.document.content.kind !== "bytes") continue;
  const content = event.document.content.open(signal);
  for await (const parsed of parser.parse(event.document, content, signal)) take(parsed);
}
const maxBytes = process.resourceUsage().maxRSS * 1024;
console.log(JSON.stringify({ units, warnings, maxBytes }));
