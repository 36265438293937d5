import { z } from "zod";
import { Fault } from "../../faults/index.ts";
import { readWhole } from "../../flow/read-body.ts";
import { isSafePath } from "../safe-path.ts";
import type { Hub } from "./hub.ts";

/** A file of a model as a hub lists it. */
export interface RemoteFile {
  readonly path: string;
  readonly size: number;
  /** The sha256 of the content, of files in large file storage. */
  readonly sha256?: string;
  /** The SHA-1 of the git blob, of all others. */
  readonly blob?: string;
}

const mostFiles = 20_000;
const mostPages = 100;
const largestAnswer = 32 * 1024 * 1024;

const hex = (length: number) => z.string().regex(new RegExp(`^[0-9a-f]{${length}}$`));

const entries = z.array(
  z.object({
    type: z.string(),
    path: z.string(),
    size: z.int().nonnegative().optional(),
    oid: hex(40).optional(),
    lfs: z.object({ oid: hex(64), size: z.int().nonnegative() }).optional(),
  }),
);

const revisions = z.object({ sha: hex(40) });

/** The commit that a revision (a branch, a tag, `refs/pr/1`) is at. */
export async function resolveCommit(
  hub: Hub,
  repository: string,
  revision: string,
  signal: AbortSignal,
): Promise<string> {
  if (/^[0-9a-f]{40}$/.test(revision)) return revision;
  const url = hub.address(["api", "models", ...repository.split("/"), "revision", revision]);
  const what = `the revision \`${revision}\` of \`${repository}\``;
  const body = await getJson(hub, url, what, signal);
  const parsed = revisions.safeParse(body.value);
  if (parsed.success) return parsed.data.sha;
  throw strange(hub, what);
}

/** All files of a model at a commit. Paths that lead out of the folder are refused, whoever named them. */
export async function listFiles(
  hub: Hub,
  repository: string,
  commit: string,
  signal: AbortSignal,
): Promise<readonly RemoteFile[]> {
  const what = `the list of files of \`${repository}\``;
  const parts = ["api", "models", ...repository.split("/"), "tree", commit];
  const files: RemoteFile[] = [];
  let url: URL | undefined = hub.address(parts, "recursive=true");
  for (let page = 0; url !== undefined; page += 1) {
    const body: JsonAnswer = await getJson(hub, url, what, signal);
    const parsed = entries.safeParse(body.value);
    if (!parsed.success || page >= mostPages) throw strange(hub, what);
    for (const entry of parsed.data) {
      if (entry.type === "file") files.push(remoteFile(entry, hub));
    }
    if (files.length > mostFiles) throw strange(hub, what);
    url = nextPage(body.link, url);
  }
  return files;
}

function remoteFile(entry: z.output<typeof entries>[number], hub: Hub): RemoteFile {
  const { path, lfs, oid } = entry;
  if (!isSafePath(path)) {
    throw new Fault(
      "model.invalid",
      `The hub at \`${hub.shown}\` names a file ${JSON.stringify(path.slice(0, 200))}, which would lie outside the ` +
        "model's folder. Nothing was downloaded.",
    );
  }
  const size = lfs?.size ?? entry.size;
  if (size === undefined || (lfs === undefined && oid === undefined)) {
    throw strange(hub, `the size and hash of \`${path}\``);
  }
  if (lfs !== undefined) return { path, size, sha256: lfs.oid };
  return { path, size, ...(oid === undefined ? {} : { blob: oid }) };
}

interface JsonAnswer {
  readonly value: unknown;
  readonly link: string | null;
}

function getJson(hub: Hub, url: URL, what: string, signal: AbortSignal): Promise<JsonAnswer> {
  const read = async ({ body, headers }: Response): Promise<JsonAnswer> => {
    const text = await readWhole(body, largestAnswer);
    if (text === undefined) throw strange(hub, what);
    try {
      return { value: JSON.parse(text), link: headers.get("link") };
    } catch {
      throw strange(hub, what);
    }
  };
  return hub.get({ what, url, headers: { accept: "application/json" } }, read, signal);
}

/**
 * The next page of the same list: only the query is taken over, because mirrors pass on the address of the hub that they
 * mirror, and no other host may get the token.
 */
function nextPage(link: string | null, from: URL): URL | undefined {
  const found = /<([^<>]+)>\s*;[^,]*\brel="?next"?/.exec(link ?? "")?.[1];
  if (found === undefined || !URL.canParse(found, from.href)) return undefined;
  const next = new URL(from);
  next.search = new URL(found, from).search;
  return next;
}

function strange(hub: Hub, what: string): Fault {
  return new Fault(
    "model.invalid",
    `The hub at \`${hub.shown}\` gave no answer that can be understood when asked for ${what}. ` +
      "Check `HF_ENDPOINT`.",
  );
}
