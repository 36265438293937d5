/** A process that starts the small server and then does not stop it: `owner.ts killed|ends`. */
import { RunningServer } from "../../../../scripts/servers/running-server.ts";
import { tinyKind } from "./tiny-kind.ts";

const server = await RunningServer.start(tinyKind(), "");
const { processId, scratch, address } = server;
process.stdout.write(`${JSON.stringify({ processId, scratch, address })}\n`, () => {
  if (process.argv[2] === "ends") process.exit();
});
