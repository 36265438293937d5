/** An HTML block as a reader should see it: without comments, scripts and styles; empty if only tags are left. */
export function visibleHtml(html: string): string {
  const text = withoutElement(withoutElement(withoutHtmlComments(html), "script"), "style");
  const isBlank = text.replace(tag, "").trim() === "";
  const hasWords = /\b(?:alt|title|aria-label|placeholder)\s*=/i.test(text);
  return isBlank && !hasWords ? "" : text;
}

const tag = /<\/?[a-z][a-z0-9:-]*(?:[\s/][^<>]*)?>/gi;

/** A paragraph without HTML comments; those in code spans, and those that never end, stay. */
export function withoutInlineComments(text: string): string {
  if (!text.includes("<!--")) return text;
  const mark = /\\[^\n]|`+|<!--/g;
  const unclosed = new Set<number>();
  let kept = "";
  let from = 0;
  for (let match = mark.exec(text); match !== null; match = mark.exec(text)) {
    const [found] = match;
    if (found.startsWith("`")) {
      if (unclosed.has(found.length)) continue;
      const end = closingTicks(text, mark.lastIndex, found.length);
      if (end === undefined) unclosed.add(found.length);
      else mark.lastIndex = end;
    } else if (found === "<!--") {
      const end = text.indexOf("-->", match.index + 2);
      if (end === -1) break;
      kept += text.slice(from, match.index);
      from = end + 3;
      mark.lastIndex = from;
    }
  }
  return kept + text.slice(from);
}

function closingTicks(text: string, from: number, length: number): number | undefined {
  const ticks = /`+/g;
  ticks.lastIndex = from;
  for (let match = ticks.exec(text); match !== null; match = ticks.exec(text)) {
    if (match[0].length === length) return ticks.lastIndex;
  }
  return undefined;
}

function withoutHtmlComments(html: string): string {
  let kept = "";
  let from = 0;
  for (;;) {
    const start = html.indexOf("<!--", from);
    const end = start === -1 ? -1 : html.indexOf("-->", start + 2);
    if (end === -1) return kept + html.slice(from);
    kept += html.slice(from, start);
    from = end + 3;
  }
}

function withoutElement(html: string, name: string): string {
  const opening = new RegExp(`<${name}(?=[\\s>])`, "gi");
  const closing = new RegExp(`</${name}\\s*>`, "gi");
  let kept = "";
  let from = 0;
  for (;;) {
    opening.lastIndex = from;
    const start = opening.exec(html);
    if (start === null) return kept + html.slice(from);
    closing.lastIndex = start.index;
    // An element that never ends is kept: better noise than a lost page.
    if (closing.exec(html) === null) return kept + html.slice(from);
    kept += html.slice(from, start.index);
    from = closing.lastIndex;
  }
}
