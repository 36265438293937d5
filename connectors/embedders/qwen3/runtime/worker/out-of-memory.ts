/** Each device, the library and Node.js have words of their own. */
const words =
  /out of (?:device |host )?memory|failed to allocate|bad[_ ]alloc|allocation fail|not enough memory|insufficient memory|too large to allocate|invalid (?:typed )?array (?:buffer )?length|exceeds? the max(?:imum)? buffer/i;

/** Whether an error says that there is no room: fewer rows at once may then have some. */
export function isOutOfMemory(message: string): boolean {
  return words.test(message);
}
