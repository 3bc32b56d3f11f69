"""vLLM's build for processors; see `peers/vllm_child.py`."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from transformers import PreTrainedTokenizerBase

from measuring.script import PEERS, Skip
from peers.batch import BatchPeer
from solon.prompting.chat_template import DialogueFormat

CHILD = Path(__file__).parent / "vllm_child.py"
PYTHON = PEERS / "bin/python"
CONTEXT = 4096
CACHE_GIB = "4"


class Vllm(BatchPeer):
    """The engine in a child process."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase, format: DialogueFormat, asked: IO[str], told: IO[str]):
        super().__init__(tokenizer, format)
        self._asked, self._told = asked, told

    def write(self, prompts: Sequence[list[int]], new_tokens: int) -> Sequence[list[int]]:
        print(json.dumps({"prompts": list(prompts), "new_tokens": new_tokens}), file=self._asked, flush=True)
        written: list[list[int]] = json.loads(self._told.readline())
        return written


@contextmanager
def vllm(folder: Path, tokenizer: PreTrainedTokenizerBase, format: DialogueFormat, *, dtype: str) -> Iterator[Vllm]:
    """vLLM with the model in `folder`. Raises `Skip` where it is not installed, or does not start."""
    if not PYTHON.exists():
        raise Skip("vLLM is not installed (make install-peers)")
    settings = {"VLLM_CPU_KVCACHE_SPACE": CACHE_GIB, "VLLM_ENABLE_V1_MULTIPROCESSING": "0", "HF_HUB_OFFLINE": "1"}
    with subprocess.Popen(
        [PYTHON, CHILD, folder, dtype, str(CONTEXT)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=os.environ | settings,
    ) as process:
        assert process.stdin and process.stdout
        if process.stdout.readline() != "ready\n":
            raise Skip("vLLM does not start on this processor (it needs AVX-512)")
        yield Vllm(tokenizer, format, process.stdin, process.stdout)
        process.stdin.close()
