import { code, type FaultCode } from "./fault-code.ts";

/** Every fault of sluice, its default advice, and its sentence in `docs/faults.md`. Codes are `stage.what`. */
export const faultCodes = {
  aborted: code(
    "component",
    "later",
    "The call was stopped because the run is stopping. Run again.",
  ),

  "source.unreachable": code(
    "component",
    "later",
    "The source cannot be reached, or its root is missing. Nothing is deleted. Check the path or the connection.",
  ),
  "source.protocol": code(
    "component",
    "never",
    "A source broke its contract (events out of order). This is a defect of the source.",
  ),
  "source.unreadable": code(
    "document",
    "later",
    "The document or folder exists but cannot be read. Check its permissions.",
  ),
  "source.vanished": code(
    "document",
    "later",
    "The document disappeared between listing and reading. The next run sees what became of it.",
  ),
  "source.changed": code(
    "document",
    "later",
    "The document changed while it was read. The next run reads it again.",
  ),
  "source.not-a-file": code(
    "document",
    "never",
    "The path is not a regular file (a pipe, device, socket or folder) and is not opened.",
  ),
  "source.name": code(
    "document",
    "never",
    "The name cannot be represented (invalid UTF-8). Rename it.",
  ),

  "parse.unsupported": code(
    "document",
    "never",
    "No parser reads this media type. Exclude the document, or name a parser.",
  ),
  "parse.malformed": code(
    "document",
    "never",
    "The content is not what its type says, or is damaged.",
  ),
  "parse.timeout": code(
    "document",
    "never",
    "Parsing took longer than `limits.parse_timeout_ms`. Exclude the document or raise the limit.",
  ),
  "parse.too-large": code(
    "document",
    "never",
    "The document is larger than `limits.max_document_mb`. Exclude it, split it, or raise the limit.",
  ),
  "parse.metadata": code(
    "document",
    "never",
    "A metadata value does not have the type declared under `metadata`.",
  ),
  "chunk.failed": code("document", "never", "The chunker could not cut the document."),

  "embed.unreachable": code(
    "component",
    "later",
    "The embedding server does not answer. Check `url` and that the server runs.",
  ),
  "embed.rate-limited": code(
    "component",
    "later",
    "The embedding server asks to slow down (429 or 503).",
  ),
  "embed.timeout": code(
    "component",
    "later",
    "The embedding server did not answer within `timeout_ms`.",
  ),
  "embed.failed": code(
    "component",
    "later",
    "The embedding server failed inside (5xx). Its log says why.",
  ),
  "embed.unauthorized": code(
    "component",
    "never",
    "The embedding server refused the key. Check `api_key`.",
  ),
  "embed.not-found": code(
    "component",
    "never",
    "The embedding server does not know the model or the path. Check `model` and `url` (it usually ends in /v1).",
  ),
  "embed.rejected": code(
    "document",
    "smaller",
    "The embedding server rejected a request. It is halved down to the guilty text.",
  ),
  "embed.too-long": code(
    "document",
    "smaller",
    "A text is longer than the model's context. Lower `chunker.max_tokens`.",
  ),
  "embed.too-large": code(
    "document",
    "smaller",
    "A request is too large for the embedding server. It is sent in smaller ones.",
  ),
  "embed.invalid": code(
    "component",
    "never",
    "The embedding server gave an answer that is not an embedding response (HTML, cut off, wrong count or length, not finite). Nothing of it is used.",
  ),
  "embed.model": code(
    "component",
    "never",
    "The files of the model are missing, damaged, or not those of an embedding model that sluice can run. Fetch them with `sluice models pull NAME`.",
  ),
  "embed.device": code(
    "component",
    "never",
    "The device cannot run the model, or computes other vectors than the CPU. Choose another `device`, or install what it needs.",
  ),
  "embed.crashed": code(
    "component",
    "later",
    "The thread that runs the model died, or its device failed, several times in a row. Nothing of the batch is used.",
  ),
  "embed.out-of-memory": code(
    "document",
    "smaller",
    "The device has not enough memory for a text, even alone. Lower `chunker.max_tokens`, or choose another `device`.",
  ),
  "embed.not-finite": code(
    "document",
    "smaller",
    "The model gave numbers that are not finite (NaN) for a text. Try a file of higher precision, or another `device`.",
  ),
  "embed.zero": code(
    "document",
    "smaller",
    "The embedding of a text is all zeros and has no direction. Check the text and the model.",
  ),

  "model.unreachable": code(
    "component",
    "later",
    "The hub does not answer. Check `HF_ENDPOINT` and the network, or pull from a folder with `--from`.",
  ),
  "model.unauthorized": code(
    "component",
    "never",
    "The hub refuses the model: it is private or gated, or does not exist. Check the name and `HF_TOKEN`.",
  ),
  "model.not-found": code(
    "component",
    "never",
    "The hub or folder does not have the model, the revision or a file that was asked for.",
  ),
  "model.busy": code(
    "component",
    "later",
    "The hub asks to slow down (429 or 503). Pull again later: it goes on where it stopped.",
  ),
  "model.failed": code(
    "component",
    "later",
    "The hub failed, or broke a download off. Pull again: it goes on where it stopped.",
  ),
  "model.invalid": code(
    "component",
    "never",
    "The hub's answer is not what a hub gives, or names a file outside the model's folder. Nothing of it is used.",
  ),
  "model.full": code(
    "component",
    "never",
    "The disk has no room for the model. Make room, or name another folder with `--into`.",
  ),
  "model.unwritable": code(
    "component",
    "never",
    "The folder for models cannot be read or written. Check its permissions and the disk.",
  ),

  "sink.unreachable": code(
    "component",
    "later",
    "The vector store does not answer. Check its address and that it runs.",
  ),
  "sink.timeout": code(
    "component",
    "later",
    "The vector store did not answer in time; whether it wrote is unknown. The document is written again after the write horizon.",
  ),
  "sink.unauthorized": code("component", "never", "The vector store refused the credentials."),
  "sink.not-ready": code(
    "component",
    "later",
    "The vector store is not ready to serve the collection yet.",
  ),
  "sink.rate-limited": code("component", "later", "The vector store asks to slow down."),
  "sink.conflict": code(
    "component",
    "later",
    "Another process changed the collection at the same moment. The write is tried again.",
  ),
  "sink.full": code(
    "component",
    "never",
    "The vector store's disk or quota is full. Make room and run again.",
  ),
  "sink.too-large": code(
    "document",
    "smaller",
    "A write is too large for the vector store. It is sent in smaller ones.",
  ),
  "sink.rejected": code(
    "document",
    "smaller",
    "The vector store rejected a write. It is halved down to the guilty record.",
  ),
  "sink.dimension": code(
    "component",
    "never",
    "A vector of another length than the collection's was about to be written. This is refused before it leaves.",
  ),
  "sink.missing": code(
    "component",
    "never",
    "The collection does not exist (any more). Run again to create it.",
  ),
  "sink.foreign": code(
    "component",
    "never",
    "The collection was made by something else, or does not have the fields that sluice needs.",
  ),
  "sink.corrupt": code("component", "never", "The vector store's files are damaged."),

  "state.locked": code(
    "component",
    "never",
    "Another run holds this pipeline's state. Wait for it, or stop it.",
  ),
  "state.corrupt": code(
    "component",
    "never",
    "The state file is damaged. Restore it, or move it away and rebuild it with `sluice adopt --sink NAME`.",
  ),
  "state.foreign": code(
    "component",
    "never",
    "The file is not sluice's, belongs to another pipeline, or was made by a newer version.",
  ),
  "state.network": code(
    "component",
    "never",
    "State and cache cannot live on a network file system; their locks are not safe there. Choose a local path.",
  ),
  "state.full": code(
    "component",
    "never",
    "The disk is full. Make room and run again; nothing is lost.",
  ),
  "state.unwritable": code(
    "component",
    "never",
    "The state cannot be written. Check permissions and disk.",
  ),
  "state.lost": code(
    "component",
    "never",
    "The lease on the state was lost. Another run may have taken over.",
  ),
  "cache.unusable": code(
    "component",
    "never",
    "The embedding cache cannot be used: damaged, foreign, without permission, or a server that does not do (a replica, a cluster). Move it away, or choose another `cache.path` or `cache.url`.",
  ),
  "cache.unreachable": code(
    "component",
    "later",
    "The shared embedding cache does not answer. Runs go on without it and use it again when it is back; check `cache.url` and that the server runs.",
  ),
  "cache.unauthorized": code(
    "component",
    "never",
    "The shared embedding cache refused the credentials, or forbids what sluice needs. Check user and password.",
  ),
  "cache.full": code(
    "component",
    "never",
    "The disk of the embedding cache, or the memory of its server, is full. Make room and run again; nothing is lost.",
  ),

  "refused.dimension": code(
    "component",
    "never",
    "The collection's dimension does not fit the model or the configuration.",
  ),
  "refused.metric": code(
    "component",
    "never",
    "The collection's metric does not suit normalised vectors.",
  ),
  "refused.element": code(
    "component",
    "never",
    "The collection does not hold dense float vectors.",
  ),
  "refused.space": code(
    "component",
    "never",
    "The collection holds vectors of another embedding space. Choose a new collection, then `sluice forget --sink OLD`.",
  ),
  "refused.probe": code(
    "component",
    "never",
    "The embedding server gives other vectors than before for the same texts: another model, pooling or prompt. Nothing was written.",
  ),
  "refused.records": code(
    "component",
    "never",
    "The collection holds records but no marker of sluice. Use an empty collection, or `sluice adopt --sink NAME` if they are this pipeline's.",
  ),
  "refused.state": code(
    "component",
    "never",
    "The collection was written by another state of this pipeline (lost or restored from a backup). Run `sluice adopt --sink NAME`.",
  ),
  "refused.model": code(
    "component",
    "never",
    "The embedder does not give the vectors of its model; `sluice models verify` names the usual mistake.",
  ),
  "refused.checksum": code(
    "component",
    "never",
    "A model's file is not the one that was promised (sha256). It was deleted, and nothing of it is used.",
  ),
  "refused.schema": code("component", "never", "The live schema cannot take the records."),
  "refused.shared": code("component", "never", "Two sinks of the pipeline name one collection."),
  "refused.pipeline": code(
    "component",
    "never",
    "Two pipeline files have one name and one state. Rename one of them.",
  ),
  "refused.reprocess": code(
    "component",
    "never",
    "A changed recipe would embed more documents again than `reprocess.max_fraction`. Look at `sluice plan`, then run with `--reprocess`.",
  ),
  "refused.deletions": code(
    "component",
    "never",
    "More documents would be deleted than the guard allows. They are withheld; look at `sluice plan`, then run with `--allow-deletions`.",
  ),
  "refused.failures": code(
    "component",
    "never",
    "More new documents failed than `failures.max_documents` allows; the run stopped. Look at `sluice failures list`.",
  ),

  "metrics.unavailable": code(
    "component",
    "later",
    "The page of measures cannot be opened: its port is in use or not allowed, or its host is not of this machine. Choose another `--metrics-port`, or 0 for any that is free.",
  ),
  "config.invalid": code("component", "never", "The pipeline file or the command line is wrong."),
  "package.missing": code(
    "component",
    "never",
    "A connector needs an npm package that is not installed.",
  ),
} as const satisfies Record<string, FaultCode>;

export type FaultCodeName = keyof typeof faultCodes;

export function isFaultCode(text: string): text is FaultCodeName {
  return Object.hasOwn(faultCodes, text);
}
