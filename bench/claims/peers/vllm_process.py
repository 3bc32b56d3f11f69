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

from measuring.script import ROOT, Skip
from peers.batch import BatchPeer
from solon.prompting.chat_template import DialogueFormat

CHILD = Path(__file__).parent / "vllm_child.py"
PYTHON = ROOT / ".venv-vllm/bin/python"
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
def vllm(
    folder: Path, log: Path, tokenizer: PreTrainedTokenizerBase, format: DialogueFormat, *, dtype: str
) -> Iterator[Vllm]:
    """vLLM with the model in `folder`. Raises `Skip`, with what `log` says, where it does not start."""
    if not PYTHON.exists():
        raise Skip("vLLM is not installed (make install-peers)")
    settings = {"VLLM_CPU_KVCACHE_SPACE": CACHE_GIB, "VLLM_ENABLE_V1_MULTIPROCESSING": "0", "HF_HUB_OFFLINE": "1"}
    command, pipe = [*map(str, (PYTHON, "-P", CHILD, folder, dtype, CONTEXT))], subprocess.PIPE
    environment = {name: said for name, said in os.environ.items() if name != "PYTHONPATH"} | settings
    with (
        log.open("w") as errors,
        subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=errors, text=True, env=environment) as process,
    ):
        assert process.stdin and process.stdout
        if process.stdout.readline() != "ready\n":
            said = [line for line in log.read_text().splitlines() if line.strip()]
            raise Skip(f"vLLM does not start on this processor: {said[-1] if said else 'it says nothing'}")
        yield Vllm(tokenizer, format, process.stdin, process.stdout)
        process.stdin.close()
