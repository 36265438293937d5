/** The pipeline file that `sluice init` writes: it runs offline, and says what to change. */
export function firstPipeline(options: { readonly name: string; readonly root: string }): string {
  return `# A pipeline of sluice: keeps a search index equal to a folder of documents.
#
#   sluice run      brings the index up to date; again and again, it does only what changed
#   sluice query "what you look for"
#   sluice plan     tells what a run would do
#
# \`sluice connectors\` lists what can stand here, \`sluice connectors files\` the settings of one.
version: 1

# The identity of this pipeline. To rename it, add \`previously: ${options.name}\`.
name: ${options.name}

sources:
  docs: # a name of your own; document ids begin with it
    type: files
    root: ${JSON.stringify(options.root)} # from this file's folder
    include: ["**/*.md", "**/*.txt"]
    # exclude: ["drafts/**"]

# Cuts documents along their headings, paragraphs, tables and code.
chunker:
  type: structure
  max_tokens: 512
  overlap_tokens: 64

# Matches words; built in, offline, no model. To search by meaning, use any server that speaks OpenAI's API:
#   type: openai
#   url: http://localhost:30000/v1
#   api_key: \${EMBEDDING_API_KEY:-}
#   model: Qwen/Qwen3-Embedding-4B
embedder:
  type: lexical

sinks:
  search:
    type: lancedb # an index in a folder; no server
    uri: .sluice/index
    collection: ${options.name}

# State and cache stand in \`.sluice\` beside this file. Keep the folder out of version control.
`;
}
