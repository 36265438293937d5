import type { PineconeBehaviour, PineconeRequest } from "./behaviour.ts";
import { type Rendered, renderRefusal } from "./exchange.ts";
import { messages } from "./messages.ts";
import { type Plane, Refusal } from "./refusal.ts";

type Scripted = Extract<PineconeBehaviour, { readonly kind: "status" | "rate-limit" }>;

/** The status that a script wants, with its body, or one as the plane would word it. */
export function renderScripted(
  plane: Plane,
  request: PineconeRequest,
  behaviour: Scripted,
): Rendered {
  const { retryAfter } = behaviour;
  const after = retryAfter === undefined ? undefined : { "retry-after": retryAfter };
  const status = behaviour.kind === "status" ? behaviour.status : 429;
  if (behaviour.kind === "status" && behaviour.body !== undefined) {
    const type = { "content-type": behaviour.type ?? "application/json" };
    return { status, text: behaviour.body, headers: { ...type, ...after } };
  }
  const { text, headers } = renderRefusal(plane, new Refusal(status, wording(status, request)));
  return { status, text, headers: { ...headers, ...after } };
}

function wording(status: number, { operation, index = "" }: PineconeRequest): string {
  if (status === 401) return messages.unauthorized;
  if (status !== 429) return status >= 500 ? "Internal server error" : `Scripted status ${status}`;
  const name = operation === "stats" ? "describe_index_stats" : operation;
  const limit = operation === "upsert" ? "upsert size limit" : `${name} requests`;
  return messages.noCapacity(`${limit} per second for index ${index}`, `${name} requests`);
}
