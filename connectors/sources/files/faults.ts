import { Fault } from "../../../src/faults/index.ts";
import { errorCode } from "../../../src/flow/error-code.ts";

/** The system's name of an error, for a message: `ENOENT`. */
export function codeOf(error: unknown): string {
  return errorCode(error) || "unknown error";
}

/** Whether an error says that the path does not exist. */
export function isGone(error: unknown): boolean {
  return ["ENOENT", "ENOTDIR"].includes(codeOf(error));
}

/** The fault that a failed open or read means. */
export function faultOfRead(error: unknown, id: string): Fault {
  if (isGone(error)) {
    return new Fault(
      "source.vanished",
      `\`${id}\` disappeared between listing and reading. The next run sees what became of it.`,
      { cause: error },
    );
  }
  // The last part of the path became a link, or a socket.
  if (["ELOOP", "EMLINK", "ENXIO", "EISDIR"].includes(codeOf(error))) return notAFile(id, error);
  return unreadable(id, error);
}

/** The file is there, but its content or its description is out of reach. */
export function unreadable(id: string, error: unknown): Fault {
  return new Fault(
    "source.unreadable",
    `\`${id}\` cannot be read (${codeOf(error)}). Check its permissions, or exclude it.`,
    { cause: error },
  );
}

/** A pipe, a socket, a device. */
export function notAFile(id: string, cause?: unknown): Fault {
  return new Fault(
    "source.not-a-file",
    `\`${id}\` is not a regular file and was not opened. Exclude it, or replace it by a file.`,
    { cause },
  );
}

/** The file is another one, or has another content, than the listing saw. */
export function changed(id: string): Fault {
  return new Fault(
    "source.changed",
    `\`${id}\` changed since it was listed. The next run reads it again.`,
  );
}

/** The name is not UTF-8: no id can stand for it. */
export function badName(id: string): Fault {
  return new Fault(
    "source.name",
    `The name of \`${id}\` is not valid UTF-8; it is neither read nor deleted. Rename it.`,
  );
}
