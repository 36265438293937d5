import { existsSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { RunningServer } from "../../../../scripts/servers/running-server.ts";
import type { FanOut } from "./fan-out.ts";
import { breakNextWrite, breakWires, mendWires, remoteNames, type StoreName } from "./stores.ts";
import type { WireFault } from "./wire.ts";

/** Something that goes wrong with one store. */
export interface Fault {
  readonly name: string;
  /** The stores it can happen to. */
  readonly stores: readonly StoreName[];
  /** It happens to what is open; before a run, it is nothing, or no fault. */
  readonly needsOpen?: boolean;
  /** A run bears it and succeeds, with the settings of `set`. */
  readonly isBorne?: boolean;
  /** Settings of the run that it happens to. */
  set(store: StoreName): readonly string[];
  /** Happens at once, before this returns, or where that is possible with the next write. */
  strike(fanOut: FanOut, store: StoreName, when: "now" | "next write"): void;
  /** How often it was felt. */
  felt(fanOut: FanOut, store: StoreName): number;
  /** All is well afterwards. */
  heal(fanOut: FanOut, store: StoreName): Promise<void>;
  /** Where the fault is that something lands late: now it does. Tells whether there was anything. */
  land?(fanOut: FanOut, store: StoreName): boolean;
}

type Special = Partial<Pick<Fault, "needsOpen" | "isBorne" | "set" | "land">>;

/** What would otherwise meet the question that comes before a write. */
const aboutWrites = new Set<WireFault["kind"]>(["reset", "lost-answer"]);

function onTheWire(name: string, fault: WireFault, special: Special = {}): Fault {
  return {
    name,
    stores: remoteNames,
    set: () => [],
    strike: ({ stores }, store, when) => {
      if (when === "now" && !aboutWrites.has(fault.kind)) breakWires(stores[store], fault);
      else breakNextWrite(stores[store], fault);
    },
    felt: ({ stores }, store) => stores[store].wires.reduce((sum, { struck }) => sum + struck, 0),
    heal: ({ stores }, store) => mendWires(stores[store]),
    ...special,
  };
}

/** Waits until a server is there again, however long that takes. */
const patience = ["attempts=60", "base_ms=200", "max_ms=1000", "total_ms=60000"].map(
  (setting) => `retry.${setting}`,
);

export const faults = {
  refused: onTheWire("connections are refused", { kind: "refuse" }),
  reset: onTheWire("requests are cut in the middle by a reset", { kind: "reset" }),
  "black-hole": onTheWire("connections stay open and nothing passes", { kind: "black-hole" }),
  latency: onTheWire(
    "every answer takes 2 s",
    { kind: "latency", ms: 2_000 },
    {
      isBorne: true,
      set: (store) => [`sinks.${store}.timeout_ms=20000`],
    },
  ),
  "slow-close": onTheWire(
    "the server's connections end and clients learn of it 2 s later",
    { kind: "slow-close", ms: 2_000 },
    { needsOpen: true },
  ),
  "lost-answer": onTheWire("what was written is not acknowledged", { kind: "lost-answer" }),
  late: onTheWire(
    "what was sent lands when a newer run is writing",
    { kind: "late" },
    {
      // The first write without an answer is the last.
      set: () => ["retry.attempts=1"],
      land: ({ stores }, store) => {
        const landed = stores[store].wires.map((wire) => wire.land());
        return landed.includes(true);
      },
    },
  ),
  away: {
    name: "the folder is moved away and comes back",
    stores: ["lancedb"],
    needsOpen: true,
    set: () => [],
    strike: ({ place }) => renameSync(place.index, awayFrom(place.folder)),
    felt: ({ place }) => (existsSync(awayFrom(place.folder)) ? 1 : 0),
    async heal({ place }) {
      // What was made in its place belongs to nobody.
      rmSync(place.index, { recursive: true, force: true });
      renameSync(awayFrom(place.folder), place.index);
    },
  },
} as const satisfies Readonly<Record<string, Fault>>;

export type FaultName = keyof typeof faults;

function awayFrom(folder: string): string {
  return join(folder, "away");
}

/** A server is killed, and started again on its data while the run goes on. */
export function killing(server: RunningServer): Fault {
  let back: Promise<void> = Promise.resolve();
  let kills = 0;
  return {
    name: "the server is killed and started again",
    stores: remoteNames,
    isBorne: true,
    set: () => patience,
    strike() {
      kills += 1;
      back = server.kill().then(() => server.restart());
      // Told by `heal`.
      back.catch(() => undefined);
    },
    felt: () => kills,
    heal: () => back,
  };
}
