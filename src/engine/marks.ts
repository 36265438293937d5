import type { CollectionMarker, TargetInfo } from "../contracts/index.ts";
import type { PipelineSink } from "./pipeline.ts";
import { encodeProbe, type Space } from "./space.ts";

export type MarkDecision =
  /** The pipeline has not written to this collection before. */
  | { readonly kind: "join" }
  /** The state knows the collection, and the collection the state. */
  | { readonly kind: "known" }
  | { readonly kind: "refuse"; readonly reason: string };

/**
 * Decides whether the state at hand is the one that wrote a collection last. If it is not (lost, restored from a
 * backup, another machine's), its idea of the records is wrong and nothing may be written.
 */
export function checkMark(options: {
  readonly marker: CollectionMarker;
  readonly pipeline: string;
  readonly previously: string | undefined;
  readonly stateId: string;
  /** What the state knows of this incarnation. */
  readonly info: TargetInfo | undefined;
}): MarkDecision {
  const { marker, info } = options;
  const old = options.previously === undefined ? undefined : marker.pipelines[options.previously];
  const mark = marker.pipelines[options.pipeline] ?? old;
  if (mark === undefined) {
    if (info === undefined || info.markerSeq === 0) return { kind: "join" };
    return {
      kind: "refuse",
      reason:
        "the state remembers records there, but the collection's marker does not name this pipeline " +
        "(was the collection restored from a backup?)",
    };
  }
  if (mark.stateId !== options.stateId) {
    return {
      kind: "refuse",
      reason:
        "it was written by this pipeline with another state (the state file is new, lost or another one)",
    };
  }
  if (info === undefined) {
    return {
      kind: "refuse",
      reason: "the state does not remember this collection (an older copy?)",
    };
  }
  if (mark.runSeq < info.markerSeq) {
    return {
      kind: "refuse",
      reason:
        `its marker says run ${mark.runSeq} wrote last, but the state remembers run ${info.markerSeq} ` +
        "(was the collection restored from a backup?)",
    };
  }
  if (mark.runSeq > info.attemptedSeq) {
    return {
      kind: "refuse",
      reason:
        `its marker says run ${mark.runSeq} wrote last, but the state only remembers run ${info.attemptedSeq} ` +
        "(was the state restored from a backup?)",
    };
  }
  return { kind: "known" };
}

/** The marker with this pipeline's mark set, and the mark of its former name removed. */
export function withMark(
  marker: CollectionMarker,
  mark: {
    readonly pipeline: string;
    readonly previously: string | undefined;
    readonly stateId: string;
    readonly runSeq: number;
  },
): CollectionMarker {
  const others = Object.entries(marker.pipelines).filter(
    ([name]) => name !== mark.pipeline && name !== mark.previously,
  );
  const own = { stateId: mark.stateId, runSeq: mark.runSeq };
  return { ...marker, pipelines: Object.fromEntries([...others, [mark.pipeline, own]]) };
}

/** The marker of a collection that has none yet. */
export function newMarker(space: Space, dimension: number, incarnation: string): CollectionMarker {
  return {
    version: 1,
    incarnation,
    space: { hash: space.hash, model: space.model.id },
    dimension,
    probe: encodeProbe(space.probe, dimension),
    pipelines: {},
  };
}

/** The sentences for a collection and a state that do not belong together. */
export function stateRefusal(
  sink: PipelineSink,
  why: string,
): { readonly reason: string; readonly remedy: string } {
  return {
    reason: `The collection ${sink.sink.address} of sink \`${sink.name}\` does not match the state: ${why}.`,
    remedy: `Bring the right state back, or rebuild it with \`sluice adopt --sink ${sink.name}\`.`,
  };
}
