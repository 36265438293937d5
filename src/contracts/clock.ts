/** Time as the engine sees it; replaced in the simulation. */
export interface Clock {
  /** Wall-clock milliseconds since the epoch; may jump, also back. For people and for the 24-hour window. */
  now(): number;
  /** Milliseconds that only grow, from an arbitrary start within the process. For every wait and horizon. */
  monotonic(): number;
  /** Resolves after this many milliseconds; rejects with the signal's reason on abort. */
  sleep(milliseconds: number, signal: AbortSignal): Promise<void>;
}
