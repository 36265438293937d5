/** What SQLite needs in a page for itself, and for a row besides its bytes; at most. */
const pageOverhead = 8;
const rowOverhead = 14;
/** With more rows on a page, one more saves too little. */
const mostRows = 8;

/**
 * How many bytes of a row of `length` lie apart, so that one row more fits on a page; 0 where that saves little, or would
 * take more than a sixteenth of them. A page holds whole rows only, and vectors have lengths of which half a page and some
 * bytes are frequent.
 */
export function tailBytes(length: number, pageBytes: number): number {
  const room = pageBytes - pageOverhead;
  const row = bytesOnPage(length, pageBytes) + rowOverhead;
  const rows = Math.floor(room / row) + 1;
  if (rows > mostRows) return 0;
  const tail = row - Math.floor(room / rows);
  return tail <= length / 16 ? tail : 0;
}

/** What of a row stands in its page, and not in pages of its own: https://sqlite.org/fileformat2.html#b_tree_pages */
function bytesOnPage(length: number, pageBytes: number): number {
  if (length + rowOverhead <= pageBytes - 35) return length;
  const least = Math.floor(((pageBytes - 12) * 32) / 255) - 23;
  const most = least + ((length - least) % (pageBytes - 4));
  return most <= pageBytes - 35 ? most : least;
}
