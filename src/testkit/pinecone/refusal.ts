import type { JsonObject } from "../../contracts/index.ts";

/** A request that the service refuses. Each plane puts it into words of its own. */
export class Refusal extends Error {
  readonly status: number;
  /** The gRPC code of the data plane, where the status does not tell it. */
  readonly code: number | undefined;

  constructor(status: number, message: string, code?: number) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

export type Plane = "control" | "data";

/** How a plane tells a refusal: `ErrorResponse` of the control plane, `rpcStatus` of the data plane. */
export function refusalBody(plane: Plane, { status, code, message }: Refusal): JsonObject {
  const [word, number] = codes[status] ?? (status >= 500 ? ["UNKNOWN", 2] : ["ABORTED", 10]);
  if (plane === "control") return { error: { code: word, message }, status };
  return { code: code ?? number, message, details: [] };
}

const codes: Readonly<Record<number, readonly [word: string, number: number]>> = {
  400: ["INVALID_ARGUMENT", 3],
  401: ["UNAUTHENTICATED", 16],
  402: ["PAYMENT_REQUIRED", 7],
  403: ["FORBIDDEN", 7],
  404: ["NOT_FOUND", 5],
  405: ["UNIMPLEMENTED", 12],
  409: ["ALREADY_EXISTS", 6],
  412: ["FAILED_PRECONDITION", 9],
  413: ["PAYLOAD_TOO_LARGE", 11],
  422: ["UNPROCESSABLE_ENTITY", 3],
  429: ["RESOURCE_EXHAUSTED", 8],
  500: ["UNKNOWN", 2],
  501: ["UNIMPLEMENTED", 12],
  503: ["UNAVAILABLE", 14],
  504: ["DEADLINE_EXCEEDED", 4],
};
