export { history, type HistoryResult } from "./history.ts";
