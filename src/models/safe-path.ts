const longest = 1024;

/**
 * Whether a file's path, as a hub or a manifest names it, stays within the folder on every system: relative, without
 * dots that lead up, and without what Windows takes for a folder, a drive or a stream.
 */
export function isSafePath(path: string): boolean {
  if (path === "" || path.length > longest || !path.isWellFormed()) return false;
  return path.split("/").every((part) => {
    return part !== "" && !/^\.+$/.test(part) && !/[\\:\p{Cc}]/u.test(part);
  });
}
