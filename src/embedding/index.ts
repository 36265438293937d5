export { queryTemplate, textTemplate, type Template } from "./template.ts";
