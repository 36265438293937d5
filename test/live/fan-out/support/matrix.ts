import { pick, randomFrom } from "../../../e2e/support/prose.ts";
import { type Fault, type FaultName, faults } from "./faults.ts";
import { type Moment, moments } from "./round.ts";
import type { StoreName } from "./stores.ts";

/** Rounds of one fault at one store, one after another in one pipeline. */
export interface Lane {
  readonly fault: Fault;
  readonly store: StoreName;
  readonly seed: number;
  readonly rounds: readonly { readonly moment: Moment; readonly writes: number }[];
}

/** What is tried every time: each fault once or more, each store twice or more. */
const smoke: readonly (readonly [FaultName, StoreName, Moment])[] = [
  ["refused", "weaviate", "opening"],
  ["refused", "pinecone", "writing"],
  ["reset", "milvus", "writing"],
  ["black-hole", "weaviate", "listed"],
  ["latency", "pinecone", "writing"],
  ["slow-close", "weaviate", "writing"],
  ["lost-answer", "milvus", "writing"],
  ["late", "weaviate", "listed"],
  ["late", "pinecone", "listed"],
  ["away", "lancedb", "listed"],
  ["away", "lancedb", "writing"],
];

const isFull = process.env["SLUICE_WIRE_FAULTS"] === "all";

/** How often the command is killed. */
export const sigkills = isFull ? 20 : 2;

/** Whose server is killed, and when. */
export const serverKills: readonly (readonly ["milvus" | "weaviate", readonly Moment[]])[] = isFull
  ? [
      ["milvus", moments],
      ["weaviate", moments],
    ]
  : [
      ["milvus", ["opening"]],
      ["weaviate", ["writing"]],
    ];

/** A seed for the lane of this number; `SLUICE_WIRE_SEED` gives other ones. */
export function seedOf(lane: number): number {
  const { SLUICE_WIRE_SEED: first = "1" } = process.env;
  return Number(first) * 1_000 + lane;
}

/** The lanes that are to be played; all, when the environment variable `SLUICE_WIRE_FAULTS` is `all`. */
export function chosenLanes(): readonly Lane[] {
  const lanes = isFull ? fullMatrix() : smokeMatrix();
  return lanes.map(({ fault, store, moments: chosen }, index) => {
    const seed = seedOf(index);
    const random = randomFrom(seed);
    const rounds = chosen.map((moment) => ({ moment, writes: 1 + pick(random, 2) }));
    return { fault, store, seed, rounds };
  });
}

type Row = Pick<Lane, "fault" | "store"> & { readonly moments: readonly Moment[] };

function smokeMatrix(): readonly Row[] {
  return smoke.map(([name, store, moment]) => ({ fault: faults[name], store, moments: [moment] }));
}

/** Every fault at every store that it can happen to, at every moment. */
function fullMatrix(): readonly Row[] {
  return Object.values<Fault>(faults).flatMap((fault) =>
    fault.stores.map((store) => {
      const possible = moments.filter((moment) => moment !== "opening" || fault.needsOpen !== true);
      return { fault, store, moments: possible };
    }),
  );
}
