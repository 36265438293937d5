import {
  Fault,
  isFault,
  type FaultCodeName,
  type FaultOptions,
} from "../../../src/faults/index.ts";
import {
  byGrpcStatus,
  byHttpStatus,
  diagnose,
  unknownFailure,
  type Diagnosis,
} from "./diagnoses.ts";
import { WireError, type WireFailure } from "./wire-error.ts";

/** What an operation did when it failed. */
export interface FailedCall {
  /** As in "cannot be written". */
  readonly verb: "read" | "written" | "created" | "marked" | "changed";
  /** The collection, for messages. */
  readonly shown: string;
  /** Where the gRPC API was looked for. */
  readonly grpcOrigin: string;
}

/**
 * The fault that an error on the wire means. Faults, aborts and bugs pass as they are. A write whose answer is lost may
 * have taken effect, so it is ambiguous.
 */
export function toFault(error: unknown, call: FailedCall): unknown {
  if (isFault(error) || !(error instanceof WireError)) return error;
  const written = call.verb !== "read";
  if (error.failure === "status") return statusFault(error, call, written);
  const { code, what, ambiguous = false, retry } = connectionFaults[error.failure];
  return new Fault(code, `${sentence(call)}: ${error.message}. ${what(error, call)}`, {
    cause: error,
    ambiguous: ambiguous && written,
    ...(retry === undefined ? {} : { retry }),
  });
}

interface ConnectionFault {
  readonly code: FaultCodeName;
  /** What to do. */
  readonly what: (error: WireError, call: FailedCall) => string;
  readonly ambiguous?: boolean;
  readonly retry?: FaultOptions["retry"];
}

function checkAddress({ protocol }: WireError): string {
  return `Check ${protocol === "gRPC" ? "`grpc_url`" : "`url`"} and that the server runs.`;
}

const connectionFaults: Readonly<Record<Exclude<WireFailure, "status">, ConnectionFault>> = {
  unreachable: { code: "sink.unreachable", what: checkAddress },
  "cut-off": { code: "sink.unreachable", what: checkAddress, ambiguous: true },
  timeout: {
    code: "sink.timeout",
    what: () => "Raise `timeout_ms`, or look why the server is slow.",
    ambiguous: true,
  },
  "too-large": { code: "sink.too-large", what: () => "Ask for fewer records at once." },
  protocol: {
    code: "sink.unreachable",
    retry: "never",
    what: ({ protocol }, { grpcOrigin }) =>
      protocol === "gRPC"
        ? `Weaviate's gRPC API has a port of its own, usually 50051, and its own TLS; ${grpcOrigin} was tried. Check ` +
          "`grpc_url`."
        : "Check `url`: whether it is http or https, and its port.",
  },
};

function statusFault(error: WireError, call: FailedCall, written: boolean): Fault {
  const { message, protocol, status = 0, retryAfterMs } = error;
  const table = protocol === "gRPC" ? byGrpcStatus : byHttpStatus;
  const diagnosis = diagnose(message) ?? table[status] ?? unknownFailure;
  return new Fault(diagnosis.code, `${sentence(call)}: ${said(diagnosis, message)}`, {
    cause: error,
    ambiguous: written && diagnosis.partial === true,
    ...advice(diagnosis),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}

/** The fault of an object, by what the server says of it; undefined when the text is not known. */
export function objectFault(object: string, text: string, call: FailedCall): Fault | undefined {
  const diagnosis = diagnose(text);
  if (diagnosis === undefined) return undefined;
  const message = `${sentence(call)}: ${said(diagnosis, text)} It is ${object}.`;
  const { code } = diagnosis;
  return new Fault(
    code,
    message,
    code === "sink.rejected" ? { retry: "never" } : advice(diagnosis),
  );
}

/** The fault of an object of which the server says something that is not known. */
export function unknownObjectFault(
  object: string,
  text: string,
  call: FailedCall,
  retry: "never" | "smaller",
): Fault {
  const what = { code: "sink.rejected", what: "the server refused it" } as const;
  return new Fault("sink.rejected", `${sentence(call)}: ${said(what, text)} It is ${object}.`, {
    retry,
  });
}

function advice({ retry, scope }: Diagnosis): FaultOptions {
  return {
    ...(retry === undefined ? {} : { retry }),
    ...(scope === undefined ? {} : { scope }),
  };
}

function sentence({ verb, shown }: FailedCall): string {
  return `The collection ${shown} cannot be ${verb}`;
}

function said({ what }: Diagnosis, text: string): string {
  const words = firstWords(text);
  return words === "" ? `${what}.` : `${what}. (${words})`;
}

/** The beginning says it. Values of properties, which the server repeats, are left out: they are text of documents. */
function firstWords(text: string): string {
  const first = text.replace(/(?:the )?given value is .*$/is, "the given value is another").trim();
  return first.length > 200 ? `${first.slice(0, 200)}…` : first;
}
