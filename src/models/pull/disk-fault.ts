import { Fault, isFault } from "../../faults/index.ts";
import { errorCode } from "../../flow/error-code.ts";

/** What an error of the file system means, for the file or folder that it is about. */
export function diskFault(error: unknown, path: string): Error {
  if (isFault(error) && error instanceof Error) return error;
  const code = errorCode(error);
  if (code === "ENOSPC" || code === "EDQUOT") {
    return new Fault(
      "model.full",
      `The disk of \`${path}\` is full. Make room and pull again: it goes on where it stopped.`,
      { cause: error },
    );
  }
  if (!(error instanceof Error) || code === "") throw error;
  if (code === "EBUSY" || code === "EXDEV") {
    return new Fault(
      "model.unwritable",
      `\`${path}\` cannot be replaced as a whole (${code}): it is in use, or a disk is mounted there. Name a folder in it ` +
        "with `--into`.",
      { cause: error },
    );
  }
  return new Fault(
    "model.unwritable",
    `\`${path}\` cannot be read or written (${code}). Check its permissions and the disk, or name another folder ` +
      "with `--into`.",
    { cause: error },
  );
}
