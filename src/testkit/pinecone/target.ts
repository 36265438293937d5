import type { Json } from "../../contracts/index.ts";

/** Whether the client speaks the API of 2026-07 or a later one; undefined for what is no version. */
export function isCurrentVersion(
  version: string | readonly string[] | undefined,
): boolean | undefined {
  // Without a version, the oldest one counts.
  if (version === undefined) return false;
  if (version === "unstable") return true;
  if (typeof version !== "string") return undefined;
  const month = /^(\d{4}-\d{2})(?:\.\w+)?$/.exec(version)?.[1];
  return month === undefined ? undefined : month >= "2026-07";
}

/** The segments of a path, decoded, and the query; undefined for what is no URL. */
export function splitUrl(
  url: string,
): { readonly path: readonly string[]; readonly query: URLSearchParams } | undefined {
  try {
    const { pathname, searchParams } = new URL(url, "http://127.0.0.1");
    const path = pathname.split("/").slice(1).map(decodeURIComponent);
    return { path, query: searchParams };
  } catch {
    return undefined;
  }
}

/** JSON, an empty object for nothing; undefined for anything else, and for what was too large to keep. */
export function parseJson(text: string | undefined): Json | undefined {
  if (text === "") return {};
  try {
    return text === undefined ? undefined : (JSON.parse(text) as Json);
  } catch {
    return undefined;
  }
}
