import type { Terminal } from "../terminal.ts";
import type { RunMetrics } from "./run-metrics.ts";

export interface MetricsOptions {
  readonly metricsPort?: number;
  readonly metricsHost?: string;
}

/** Keeps the page of measures open for the time of a call, where the command line asks for one, and says where it is. */
export async function withMetrics<T>(
  terminal: Terminal,
  { metricsPort: port, metricsHost: host = "127.0.0.1" }: MetricsOptions,
  use: (metrics: RunMetrics | undefined) => Promise<T>,
): Promise<T> {
  if (port === undefined) return use(undefined);
  const { MetricsServer } = await import("./metrics-server.ts");
  const { RunMetrics: Metrics } = await import("./run-metrics.ts");
  const metrics = await Metrics.load((text) => terminal.redact(text));
  const server = await MetricsServer.open({ host, port, page: () => metrics.page() });
  terminal.note(`measures: ${server.url}`);
  try {
    return await use(metrics);
  } finally {
    await server.close();
  }
}
