const sqliteWarning = /^SQLite is an experimental feature\b/;

/**
 * Keeps back the warning that `node:sqlite` gives in Node.js 22 when it is first used: nobody who types a command can do
 * anything about it. Every other warning is told as before.
 */
export function hideSqliteWarning(process: Pick<NodeJS.Process, "emitWarning">): void {
  const emit = process.emitWarning;
  process.emitWarning = (...given: readonly unknown[]): void => {
    const [message, type] = given;
    if (type === "ExperimentalWarning" && sqliteWarning.test(String(message))) return;
    Reflect.apply(emit, process, given);
  };
}
