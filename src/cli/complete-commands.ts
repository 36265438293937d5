/** Makes a command about the pipeline of a report: `again("run", "--reprocess")`. */
export type Again = (name: string, ...more: readonly string[]) => string;

const command =
  /`sluice ((?:adopt|cache|doctor|failures|forget|plan|run|status|verify)(?: (?:list|show|retry|accept|stats|clear))?)((?: [^\s`]+)*)`/g;

/** Completes the commands that a message names with the file and options that were typed, ready to be pasted. */
export function completeCommands(message: string, again: Again): string {
  return message.replaceAll(command, (_, name: string, rest: string) => {
    return `\`${again(name, ...rest.split(" ").slice(1))}\``;
  });
}

/** Whether a message says itself what to type. */
export function namesCommand(message: string): boolean {
  return message.includes("`sluice ");
}
