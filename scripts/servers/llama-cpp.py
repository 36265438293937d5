"""Starts llama.cpp's own HTTP server from the package xllamacpp: llama-cpp.py MODEL PORT BATCH. Ends with SIGTERM."""

import signal
import sys

import xllamacpp

model, port, batch = sys.argv[1:]
params = xllamacpp.CommonParams()
params.model.path = model
params.hostnames = ["127.0.0.1"]
params.port = int(port)
params.embedding = True
params.ui = False
params.endpoint_metrics = True
# Warnings and errors only.
params.verbosity = 2
# Two texts at once, each in a context of 512 tokens, read in parts.
params.n_parallel = 2
params.n_ctx = 1024
params.n_ubatch = int(batch)
# Several threads wait for each other in loops, which costs a small model more than it gains.
params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
# By default keys and values are kept in 16 bits, and attention is computed so: vectors then differ in the fourth
# digit. Like this they are those of PyTorch in 32 bits up to the seventh.
params.cache_type_k = params.cache_type_v = xllamacpp.ggml_type.GGML_TYPE_F32
params.flash_attn_type = xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED

# Kept: the server ends with it.
server = xllamacpp.Server(params)
signal.sigwait({signal.SIGTERM, signal.SIGINT})
