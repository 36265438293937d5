import { files, textOf } from "./tree.ts";

/** A fenced block of a page. */
export interface Fence {
  readonly page: string;
  /** The line of its first line of text, from 1. */
  readonly line: number;
  readonly language: string;
  readonly text: string;
}

/** The project's own pages. */
export const pages: readonly string[] = files.filter((path) => path.endsWith(".md"));

const fence = /^( *)(`{3,}|~{3,})([^\n`]*)\n([\s\S]*?)^\1\2[ \t]*$/gm;

/** The fenced blocks of a page. */
export function fencesOf(page: string): Fence[] {
  const text = textOf(page);
  return [...text.matchAll(fence)].map((match) => {
    const [, indent = "", , language = "", body = ""] = match;
    const line = text.slice(0, match.index).split("\n").length + 1;
    const plain = body.replaceAll(new RegExp(`^${indent}`, "gm"), "");
    return { page, line, language: language.trim(), text: plain };
  });
}

/** The page without its fenced blocks; lines keep their numbers. */
export function proseOf(page: string): string {
  return textOf(page).replaceAll(fence, (block) => block.replaceAll(/[^\n]/g, ""));
}

/** What stands in code spans of the page's prose. */
export function codeSpansOf(page: string): { readonly text: string; readonly line: number }[] {
  const prose = proseOf(page);
  return [...prose.matchAll(/(`+)(?!`)([\s\S]*?[^`])\1(?!`)/g)].map((match) => ({
    text: (match[2] ?? "").trim().replaceAll(/\s+/g, " "),
    line: prose.slice(0, match.index).split("\n").length,
  }));
}

/** The anchors of a page's headings, as code hosts make them. */
export function anchorsOf(page: string): Set<string> {
  const seen = new Map<string, number>();
  const anchors = [...proseOf(page).matchAll(/^#{1,6} +(.+?)\s*$/gm)].map(([, heading = ""]) => {
    const plain = heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1");
    const slug = plain
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
      .replaceAll(" ", "-");
    const count = seen.get(slug) ?? 0;
    seen.set(slug, count + 1);
    return count === 0 ? slug : `${slug}-${count}`;
  });
  return new Set(anchors);
}
