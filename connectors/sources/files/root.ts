import type { BigIntStats } from "node:fs";
import { realpath, stat } from "node:fs/promises";
import { isAbsolute, relative, resolve, sep } from "node:path";
import { pathToFileURL } from "node:url";
import { Fault } from "../../../src/faults/index.ts";
import { raceAbort } from "../../../src/flow/abort.ts";
import { codeOf } from "./faults.ts";

/** The folder that a source reads, as configured. */
export interface Root {
  /** Names it in state; the same when the project moves with its documents. */
  readonly identity: string;
  /** Finds it on disk, or rejects with `source.unreachable`. */
  open(signal: AbortSignal): Promise<OpenRoot>;
  /** A reference to one of its files: relative to the pipeline's folder, unless the root is absolute. */
  uriOf(id: string): string;
}

/** The folder, as it is on disk now. */
export interface OpenRoot {
  /** Absolute, without links. */
  readonly path: string;
  /** Rejects with `source.unreachable` unless the same folder is still there. */
  verify(signal: AbortSignal): Promise<void>;
}

/** Resolves the root of the configuration; touches no disk. */
export function createRoot(root: string, folder: string, name: string): Root {
  const path = resolve(folder, root);
  const identity = isAbsolute(root) ? slashes(path) : slashes(relative(folder, path)) || ".";

  const unreachable = (what: string, cause?: unknown): Fault =>
    new Fault(
      "source.unreachable",
      `Source \`${name}\`: its root \`${path}\` ${what}. Nothing is deleted. Check \`root\`, and that the disk is mounted.`,
      { cause },
    );

  async function inspect(place: string, signal: AbortSignal): Promise<BigIntStats> {
    const stats = await raceAbort(stat(place, { bigint: true }), signal).catch((error: unknown) => {
      signal.throwIfAborted();
      throw unreachable(`cannot be read (${codeOf(error)})`, error);
    });
    if (!stats.isDirectory()) throw unreachable("is not a folder");
    return stats;
  }

  return {
    identity,
    async open(signal) {
      const real = await raceAbort(realpath(path), signal).catch((error: unknown) => {
        signal.throwIfAborted();
        throw unreachable(
          codeOf(error) === "ENOENT" ? "does not exist" : `cannot be read (${codeOf(error)})`,
          error,
        );
      });
      const opened = await inspect(real, signal);
      return {
        path: real,
        async verify(checkSignal) {
          const now = await inspect(real, checkSignal);
          if (now.dev !== opened.dev || now.ino !== opened.ino) {
            throw unreachable("was replaced or unmounted while it was listed");
          }
        },
      };
    },
    uriOf(id) {
      if (isAbsolute(root)) return pathToFileURL(resolve(path, id)).href;
      const reference = identity === "." ? id : `${identity}/${id}`;
      const encoded = reference.split("/").map(encodeURIComponent).join("/");
      return encoded.startsWith("/") ? `.${encoded}` : encoded;
    },
  };
}

function slashes(path: string): string {
  return sep === "/" ? path : path.split(sep).join("/");
}
