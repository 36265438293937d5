import { Fault } from "../faults/index.ts";

/** A place in a file, as editors count: lines and columns from 1. */
export interface Position {
  /** The file as the user named it, or the option (`--set sinks.edge.dimension`). */
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** Something wrong with a pipeline file, and where. */
export interface Problem {
  readonly at: Position;
  readonly message: string;
}

const maxShown = 100;

/** `file:line:column: message`, the form that editors and terminals turn into links. */
export function formatProblem(problem: Problem): string {
  const { file, line, column } = problem.at;
  return `${file}:${line}:${column}: ${problem.message}`;
}

/** Problems in the order of the files given, then by place, each once. */
export function sortProblems(problems: readonly Problem[], files: readonly string[]): Problem[] {
  const once = new Map(problems.map((problem) => [formatProblem(problem), problem]));
  const rank = (file: string): number => {
    const index = files.indexOf(file);
    return index === -1 ? files.length : index;
  };
  return [...once.values()].toSorted(
    (a, b) =>
      rank(a.at.file) - rank(b.at.file) || a.at.line - b.at.line || a.at.column - b.at.column,
  );
}

/** All problems at once as one fault, a line each. */
export function problemsFault(problems: readonly Problem[]): Fault {
  const lines = problems.slice(0, maxShown).map((problem) => formatProblem(problem));
  const left = problems.length - lines.length;
  if (left > 0) lines.push(`… and ${left} more problems`);
  return new Fault("config.invalid", lines.join("\n"));
}
