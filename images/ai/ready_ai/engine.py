# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One model in a separate process: llama.cpp's HTTP server, on the container's loopback alone."""

from __future__ import annotations

import json
import os
import signal
import sys
from typing import Any

#: Tokens of one text to embed: what all-MiniLM-L6-v2 has positions for.
EMBEDDING_TOKENS = 512
#: Texts that are embedded at a time. Eight short ones make a batch: quicker than one after another, for 20 MiB.
EMBEDDING_PARALLEL = 8
#: llama.cpp's log while the model is loaded: warnings and errors.
WARNINGS = 2


def parameters(job: dict[str, Any]) -> Any:
    """Return llama.cpp's parameters for a job: {kind, name, file, key, threads, limits}."""
    import xllamacpp

    made = xllamacpp.CommonParams()
    made.model.path, made.model_alias = job["file"], {job["name"]}
    made.hostnames, made.port, made.api_keys = ["127.0.0.1"], 0, [job["key"]]
    # More threads than free cores wait for each other in loops: 16 tokens then take 10 s instead of 0.6.
    made.cpuparams.n_threads = made.cpuparams_batch.n_threads = job["threads"]
    made.use_jinja = True
    made.verbosity = WARNINGS
    made.ui = made.endpoint_slots = made.endpoint_props = made.endpoint_metrics = False
    made.fit_params = False  # would make the context smaller where memory is short
    made.cache_ram_mib = 0  # prompts of the past, 8 GiB by default
    made.load_mode = xllamacpp.llama_load_mode.LLAMA_LOAD_MODE_NONE  # not mmap: what was checked is what is used
    if job["kind"] == "embedding":
        made.embedding, made.n_parallel = True, EMBEDDING_PARALLEL
        made.n_ctx = EMBEDDING_TOKENS * EMBEDDING_PARALLEL
        made.n_batch = made.n_ubatch = EMBEDDING_TOKENS
    else:
        made.n_parallel = job["limits"]["parallel"]
        made.n_ctx = job["limits"]["context_tokens"] * made.n_parallel  # each slot has its share of it
    return made


def serve() -> int:
    """Serve the job on stdin until its other end is closed; write {"address": URL} once requests are answered."""
    signal.pthread_sigmask(signal.SIG_SETMASK, [])  # the parent's is inherited
    import xllamacpp

    job = json.loads(sys.stdin.buffer.readline())
    answers = os.dup(1)
    os.dup2(2, 1)
    try:
        server = xllamacpp.Server(parameters(job))
    except Exception as error:
        print(f"ready-ai: {job['kind']}: {job['file']} can't be loaded: {error}", file=sys.stderr, flush=True)
        return 1
    # From here on llama.cpp's log would quote requests: what it could not read, grammars, schemas.
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 1)
    os.dup2(nothing, 2)
    os.write(answers, json.dumps({"address": server.listening_address}).encode() + b"\n")
    sys.stdin.buffer.read()
    os._exit(0)
