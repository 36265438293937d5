import { writeFile } from "node:fs/promises";
import { catalog } from "../connectors/catalog.ts";
import { fileSchema } from "../src/config/index.ts";

const target = new URL("../schema/pipeline.schema.json", import.meta.url);

await writeFile(target, `${JSON.stringify(await fileSchema(catalog), undefined, 2)}\n`);
