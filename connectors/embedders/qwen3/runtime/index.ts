export type { Device, GraphModel, RuntimeOptions } from "./options.ts";
export { Runtime } from "./runtime.ts";
