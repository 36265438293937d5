import { describe, inject, test } from "vitest";
import type { PortsOf, ServerName } from "../../../scripts/servers/catalog.ts";

/** A server that all live tests share. Each test uses collections of its own, and leaves the server running. */
export interface LiveServer<Name extends ServerName = ServerName> {
  /** What a client is given: a URL, or host and port. */
  readonly address: string;
  readonly ports: PortsOf<Name>;
}

/** Why a server is not there. */
export interface NotStarted {
  readonly reason: string;
}

/** What `global-setup.ts` hands to the tests. */
export type LiveServers = {
  readonly [Name in ServerName]: LiveServer<Name> | NotStarted;
};

declare module "vitest" {
  export interface ProvidedContext {
    servers: LiveServers;
  }
}

/**
 * Tests that need a real server. Where it cannot be started they are skipped with the reason in their name; with
 * `REQUIRE_LIVE=1` they fail.
 */
export function describeLive<Name extends ServerName>(
  name: Name,
  tests: (server: LiveServer<Name>) => void,
): void {
  const found: LiveServer<Name> | NotStarted = inject("servers")[name];
  if (!("reason" in found)) describe(`on a real ${name},`, () => tests(found));
  else if (process.env["REQUIRE_LIVE"] === "1") {
    test(`a real ${name} can be started`, () => {
      throw new Error(`\`REQUIRE_LIVE=1\` wants ${name}, but: ${found.reason}`);
    });
  } else
    test.skipIf(true)(`tests on a real ${name}, which is not there: ${found.reason}`, () => {});
}
