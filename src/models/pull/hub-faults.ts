import { Fault } from "../../faults/index.ts";
import { networkReason } from "../../flow/network-reason.ts";
import { parseRetryAfter } from "../../flow/retry-after.ts";

/** What an answer without the thing asked for means. `what` is in words, such as `the list of files`. */
export function statusFault(
  { status, headers }: Pick<Response, "status" | "headers">,
  what: string,
  hub: string,
): Fault {
  const said = `The hub at \`${hub}\` answered ${status} when asked for ${what}.`;
  if (status === 401 || status === 403) {
    const advice =
      "The model is private or gated, or there is none of this name. Check the name, and set `HF_TOKEN`.";
    return new Fault("model.unauthorized", `${said} ${advice}`);
  }
  if (status === 404 || status === 410) {
    const advice = "Check the model's name, `--revision` and `HF_ENDPOINT`.";
    return new Fault("model.not-found", `${said} ${advice}`);
  }
  const wait = parseRetryAfter(headers.get("retry-after"), Date.now());
  const retryAfterMs = wait === undefined ? {} : { retryAfterMs: wait };
  if (status === 429 || status === 503) {
    return new Fault("model.busy", `${said} Try again later.`, retryAfterMs);
  }
  if (status === 408 || status >= 500) {
    return new Fault("model.failed", `${said} Try again later.`, retryAfterMs);
  }
  const advice = "That is not what a hub answers. Check `HF_ENDPOINT`.";
  return new Fault("model.invalid", `${said} ${advice}`);
}

/** A connection that could not be made, or that broke. */
export function networkFault(error: unknown, what: string, hub: string): Fault {
  const { reason, cause, stays } = networkReason(error);
  return new Fault(
    "model.unreachable",
    `${what} did not come from the hub at \`${hub}\` (${reason}). Check \`HF_ENDPOINT\` and the network; ` +
      "without a network, `--from FOLDER` takes files that were brought here.",
    { cause, retry: stays ? "never" : "later" },
  );
}

export function silenceFault(what: string, hub: string, milliseconds: number): Fault {
  return new Fault(
    "model.failed",
    `Nothing of ${what} came from the hub at \`${hub}\` for ${Math.ceil(milliseconds / 1000)} s. ` +
      "Pull again: it goes on where it stopped.",
  );
}
