/** Media types by extension: the formats that the parsers of sluice read. */
const mediaTypes: Readonly<Record<string, string>> = {
  md: "text/markdown",
  markdown: "text/markdown",
  mdown: "text/markdown",
  mkd: "text/markdown",
  mdx: "text/markdown",
  txt: "text/plain",
  text: "text/plain",
  rst: "text/x-rst",
  adoc: "text/asciidoc",
  asciidoc: "text/asciidoc",
  org: "text/org",
  log: "text/x-log",
};

/** Read only when `include` names them: they grow all the time and seldom answer questions. */
const notByDefault = new Set(["log"]);

/** The globs that stand for `include` when it is left out. */
export const defaultInclude = `**/*.{${Object.keys(mediaTypes)
  .filter((extension) => !notByDefault.has(extension))
  .join(",")}}`;

/** The media type that a name tells. */
export function mediaTypeOf(id: string): string {
  const extension = /\.([^./]+)$/.exec(id)?.[1]?.toLowerCase() ?? "";
  const known = Object.hasOwn(mediaTypes, extension) ? mediaTypes[extension] : undefined;
  return known ?? "application/octet-stream";
}
