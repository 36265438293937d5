const longest = 1024;

/**
 * Whether a file's path, as a hub or a manifest names it, stays within the folder on every system: relative, of plain
 * parts, none of which Windows takes for something else.
 */
export function isSafePath(path: string): boolean {
  if (path === "" || path.length > longest || !path.isWellFormed()) return false;
  return path.split("/").every((part) => {
    return part !== "" && !/^\.+$/.test(part) && !/[\\:*?"<>|\p{Cc}]/u.test(part);
  });
}
