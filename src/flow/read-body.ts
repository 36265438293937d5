type Body = ReadableStream<Uint8Array> | null;

/** The whole body of an answer as text; undefined when it has more bytes than allowed, which are not read. */
export async function readWhole(body: Body, maxBytes: number): Promise<string | undefined> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of body ?? []) {
    bytes += part.length;
    if (bytes > maxBytes) return undefined;
    parts.push(part);
  }
  return Buffer.concat(parts, bytes).toString("utf8");
}

/** The beginning of a body as text; of one that breaks off, what had come: for errors, whose status says enough. */
export async function readStart(body: Body, maxBytes: number): Promise<string> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const part of body ?? []) {
      parts.push(part);
      bytes += part.length;
      if (bytes >= maxBytes) break;
    }
  } catch {
    // What had come is all there is.
  }
  return Buffer.concat(parts, bytes).toString("utf8", 0, maxBytes);
}
