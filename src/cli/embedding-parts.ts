import { batchFill, paddingShare, type RunMeasures } from "../engine/measures.ts";
import { bytes, count, countOf, duration, percent } from "./format.ts";

/** What tells a person whether the model is kept busy; nothing before it was asked. */
export function embeddingParts({ embedding, gpus }: RunMeasures): string[] {
  const { places, waiting, latency, calls, inFlight } = embedding;
  if (calls === 0 && inFlight.calls === 0) return [];
  const fill = batchFill(places);
  const padding = paddingShare(places);
  // Of several places the slowest; a place's batch is what a person thinks of, a call may have several.
  const p95 = Math.max(0, ...places.map((place) => place.latency.p95)) || latency.p95;
  const window = places.reduce((sum, place) => sum + place.window, 0);
  const busy = places.reduce((sum, place) => sum + place.inFlight, 0);
  const failed = Object.values(embedding.errors).reduce((sum, times) => sum + times, 0);
  const out = places.filter((place) => place.ejected).length;
  return [
    ...(fill === undefined ? [] : [`batches ${percent(fill)} full`]),
    ...(padding === undefined || padding === 0 ? [] : [`${percent(padding)} padding`]),
    ...(p95 > 0 ? [`p95 ${duration(p95)}`] : []),
    ...(window > 0 ? [`${busy} of ${window} under way`] : []),
    ...(waiting.texts > 0 ? [`${count(waiting.texts)} waiting`] : []),
    ...(failed > 0 ? [`${countOf(failed, "call")} failed`] : []),
    ...serverParts(places),
    ...(out > 0 ? [`${out} of ${places.length} servers away`] : []),
    ...gpuParts(gpus),
  ];
}

/** All GPUs together: how busy on the mean, and how much memory is in use. */
function gpuParts(gpus: RunMeasures["gpus"]): string[] {
  if (gpus.length === 0) return [];
  const used = gpus.reduce((sum, gpu) => sum + gpu.memoryUsedBytes, 0);
  const all = gpus.reduce((sum, gpu) => sum + gpu.memoryTotalBytes, 0);
  const told = gpus.flatMap(({ utilization }) => utilization ?? []);
  const mean = told.reduce((sum, share) => sum + share, 0) / told.length;
  const busy = told.length === 0 ? "" : `${percent(mean)}, `;
  const noun = gpus.length === 1 ? "GPU" : `${gpus.length} GPUs`;
  return [`${noun} ${busy}${bytes(used)} of ${bytes(all)}`];
}

/** What servers say of their load: others may work there, too. */
function serverParts(places: RunMeasures["embedding"]["places"]): string[] {
  const running = places.reduce((sum, { load }) => sum + (load?.running ?? 0), 0);
  const waiting = places.reduce((sum, { load }) => sum + (load?.waiting ?? 0), 0);
  const memory = Math.max(0, ...places.map(({ load }) => load?.memory ?? 0));
  const parts = [
    ...(running > 0 ? [`${count(running)} running`] : []),
    ...(waiting > 0 ? [`${count(waiting)} waiting`] : []),
    ...(memory > 0 ? [`memory ${percent(memory)}`] : []),
  ];
  return parts.length === 0 ? [] : [`server: ${parts.join(", ")}`];
}
