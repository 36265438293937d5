/** A metric of a page in Prometheus' text format 0.0.4. */
export interface ParsedMetric {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  /** By the whole series as it is written: name with suffix and labels. */
  readonly series: ReadonlyMap<string, number>;
}

/**
 * Reads a page strictly: HELP and TYPE before the samples of each metric, each metric in one place, no series twice,
 * labels and numbers as the format writes them, buckets that grow up to `+Inf`. Throws at whatever is not so.
 */
export function parsePrometheus(text: string): ReadonlyMap<string, ParsedMetric> {
  if (!text.endsWith("\n")) throw new Error("the last line does not end");
  const metrics = new Map<string, ParsedMetric & { readonly series: Map<string, number> }>();
  let help: { readonly name: string; readonly text: string } | undefined;
  let current: (ParsedMetric & { readonly series: Map<string, number> }) | undefined;
  for (const line of text.slice(0, -1).split("\n")) {
    if (line === "") continue;
    const comment = /^# (HELP|TYPE) ([a-zA-Z_:][\w:]*) (.+)$/.exec(line);
    if (comment !== null) {
      const [, kind, name = "", rest = ""] = comment;
      if (kind === "HELP") {
        help = { name, text: rest };
        current = undefined;
        continue;
      }
      if (help?.name !== name) throw new Error(`TYPE without HELP: ${line}`);
      if (!/^(?:counter|gauge|histogram|summary|untyped)$/.test(rest)) throw new Error(line);
      if (metrics.has(name)) throw new Error(`${name} stands in two places`);
      current = { name, type: rest, help: help.text, series: new Map() };
      metrics.set(name, current);
      continue;
    }
    const sample = /^([a-zA-Z_:][\w:]*)(\{.*\})? (\S+)$/.exec(line);
    if (sample === null || current === undefined) throw new Error(`no sample: ${line}`);
    const [, name = "", labels = "", value = ""] = sample;
    if (!belongs(name, current)) throw new Error(`${name} stands below ${current.name}`);
    const series = `${name}{${labelsOf(labels).join(",")}}`;
    if (current.series.has(series)) throw new Error(`twice: ${series}`);
    current.series.set(series, numberOf(value, line));
  }
  for (const metric of metrics.values()) if (metric.type === "histogram") checkBuckets(metric);
  return metrics;
}

/** The values of a metric by one of its labels; of several series with the same value of the label, the sum. */
export function byLabel(metric: ParsedMetric | undefined, label: string): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const [series, value] of metric?.series ?? []) {
    const found = new RegExp(String.raw`[{,]${label}="((?:[^"\\]|\\.)*)"`).exec(series)?.[1];
    if (found !== undefined) sums[found] = (sums[found] ?? 0) + value;
  }
  return sums;
}

/** The sum of all series of a metric; NaN when it has none. */
export function total(metric: ParsedMetric | undefined): number {
  const values = [...(metric?.series.values() ?? [])];
  return values.length === 0 ? Number.NaN : values.reduce((sum, value) => sum + value, 0);
}

function belongs(name: string, { name: metric, type }: ParsedMetric): boolean {
  if (type === "histogram") {
    return ["_bucket", "_sum", "_count"].some((suffix) => name === metric + suffix);
  }
  return name === metric;
}

/** `name="value"`, sorted; each name once. */
function labelsOf(text: string): string[] {
  if (text === "") return [];
  const label = /([a-zA-Z_]\w*)="((?:[^"\\\n]|\\["\\n])*)"(,|$)/y;
  const inner = text.slice(1, -1);
  const found: string[] = [];
  const names = new Set<string>();
  while (label.lastIndex < inner.length) {
    const at = label.lastIndex;
    const match = label.exec(inner);
    if (match === null) throw new Error(`not labels: ${text} at ${at}`);
    const [, name = "", value = ""] = match;
    if (names.has(name)) throw new Error(`a label twice: ${text}`);
    names.add(name);
    found.push(`${name}="${value}"`);
  }
  return found.toSorted();
}

function numberOf(text: string, line: string): number {
  const infinite: Readonly<Record<string, number>> = { "+Inf": Infinity, "-Inf": -Infinity };
  const value = infinite[text] ?? (text === "NaN" ? Number.NaN : Number(text));
  if (Number.isNaN(value) && text !== "NaN") throw new Error(`no number: ${line}`);
  return value;
}

function checkBuckets({ name, series }: ParsedMetric): void {
  const groups = new Map<string, { readonly le: number; readonly count: number }[]>();
  for (const [key, count] of series) {
    const le = /[{,]le="([^"]+)"/.exec(key)?.[1];
    if (!key.startsWith(`${name}_bucket`)) continue;
    if (le === undefined) throw new Error(`a bucket without an end: ${key}`);
    const rest = key.replace(/,?le="[^"]+"/, "").replace("{,", "{");
    const group = groups.get(rest) ?? [];
    group.push({ le: numberOf(le, key), count });
    groups.set(rest, group);
  }
  for (const [key, buckets] of groups) {
    const sorted = buckets.toSorted((a, b) => a.le - b.le);
    const last = sorted.at(-1);
    if (last?.le !== Infinity) throw new Error(`no bucket +Inf: ${key}`);
    if (sorted.some(({ count }, index) => count < (sorted[index - 1]?.count ?? 0))) {
      throw new Error(`buckets that shrink: ${key}`);
    }
    const whole = series.get(key.replace("_bucket{", "_count{"));
    if (whole !== last.count) throw new Error(`buckets and count differ: ${key}`);
  }
}
