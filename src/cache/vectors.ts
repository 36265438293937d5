/** Whether a vector may be kept: some numbers, all finite. */
export function isSound(vector: Float32Array): boolean {
  for (let index = 0; index < vector.length; index += 1) {
    if (!Number.isFinite(vector[index])) return false;
  }
  return vector.length > 0;
}

/** The bytes of a vector, in the machine's order; a view, not a copy. */
export function bytesOf(vector: Float32Array): Uint8Array {
  return new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength);
}

/** The vector in these bytes; undefined when they hold anything but `dimension` finite numbers. */
export function vectorOf(bytes: Uint8Array, dimension: number): Float32Array | undefined {
  if (bytes.byteLength !== dimension * Float32Array.BYTES_PER_ELEMENT) return undefined;
  const aligned = bytes.byteOffset % Float32Array.BYTES_PER_ELEMENT === 0 ? bytes : bytes.slice();
  const vector = new Float32Array(aligned.buffer, aligned.byteOffset, dimension);
  return isSound(vector) ? vector : undefined;
}
