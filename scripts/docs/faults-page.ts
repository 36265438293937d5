import { faultCodes } from "../../src/faults/index.ts";

const introduction = `# Faults

Every operating error of sluice has a code. It says what went wrong, and whether trying again helps:

- **never**: the same call fails again until the document, the recipe or you change something;
- **later**: sluice tries again after a while, a bounded number of times;
- **smaller**: sluice halves the call until the guilty item stands alone.

A fault of a _document_ makes that document a dead letter (\`sluice failures list\`), and the others go on. A fault of a
_component_ pauses the run and then ends it; it makes no dead letters.
`;

const chapters: Readonly<Record<string, string>> = {
  aborted: "Stopping",
  source: "Sources",
  parse: "Parsing",
  chunk: "Chunking",
  embed: "Embedding",
  sink: "Vector stores",
  state: "State",
  cache: "Cache",
  refused: "Refusals",
  config: "Configuration",
  package: "Packages",
};

const advice = {
  never: "Trying again does not help.",
  later: "It is tried again after a while.",
  smaller: "It is tried again in smaller parts.",
} as const;

/** Writes `docs/faults.md` from the table of codes; each code is a heading, so that it can be linked. */
export function writeFaultsPage(): string {
  const groups = Map.groupBy(Object.entries(faultCodes), ([code]) => code.split(".")[0] ?? code);
  const sections = [...groups].map(([group, codes]) => {
    const entries = codes.map(
      ([code, { scope, retry, meaning }]) =>
        `### \`${code}\`\n\n${meaning}\n\nFault of the ${scope}. ${advice[retry]}\n`,
    );
    return [`## ${chapters[group] ?? group}\n`, ...entries].join("\n");
  });
  return [introduction, ...sections].join("\n");
}
