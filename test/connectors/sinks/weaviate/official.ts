/**
 * The messages as the official client writes and reads them. It does not export them, so they are found by their path.
 */
export {
  BatchObjectsReply,
  BatchObjectsRequest,
} from "../../../../node_modules/weaviate-client/dist/node/esm/proto/v1/batch.js";
export {
  BatchDeleteReply,
  BatchDeleteRequest,
} from "../../../../node_modules/weaviate-client/dist/node/esm/proto/v1/batch_delete.js";
export {
  SearchReply,
  SearchRequest,
} from "../../../../node_modules/weaviate-client/dist/node/esm/proto/v1/search_get.js";
export {
  AggregateReply,
  AggregateRequest,
} from "../../../../node_modules/weaviate-client/dist/node/esm/proto/v1/aggregate.js";
