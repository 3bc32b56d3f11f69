"""How fast the in-process engine writes, beside `transformers` generate: same weights, prompts, dtype and new tokens.

A random Llama of the embedded model's size (width 192, 6 layers, 4 heads, 2,560 tokens, 3.1M parameters) continues
prompts of 60 to 150 tokens by 40 tokens each, sampled at temperature 1 and never ending early. Both engines get the
same batches, sorted by length; runs alternate, and the ratio is the median of the pairs. A second line gives eight
samples of each of an eighth as many prompts, as reinforcement learning asks for.

Promise: faster than `generate`. Exits with 1 where it is broken. Run: `python bench/decoding.py [rows] [pairs]`
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from solon.lm.engines.local import LocalModel
from solon.lm.lockstep import padded
from solon.lm.protocols import SampleRequest
from solon.models.allocator import keep_freed_memory
from solon.models.load import LoadedModel
from solon.models.runtime import resolve_device, resolve_dtype

VOCABULARY = 2560
NEW_TOKENS = 40
BATCH = 128


def random_model(dtype: torch.dtype, device: torch.device) -> LoadedModel:
    """Weights of seed 0; every token is the word of its own number."""
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=VOCABULARY,
        hidden_size=192,
        intermediate_size=512,
        num_hidden_layers=6,
        num_attention_heads=4,
        max_position_embeddings=1024,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=None,
        pad_token_id=0,
    )
    vocabulary = {"<pad>": 0} | {str(token): token for token in range(1, VOCABULARY)}
    words = Tokenizer(models.WordLevel(vocabulary, unk_token="<pad>"))
    words.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    model: Any = LlamaForCausalLM(config)
    return LoadedModel(
        model=model.to(device, dtype).eval(),
        tokenizer=PreTrainedTokenizerFast(tokenizer_object=words, pad_token="<pad>"),
        path=Path("random"),
    )


def ours(engine: LocalModel, prompts: Sequence[list[int]]) -> int:
    """Tokens written."""
    texts = [" ".join(map(str, prompt)) for prompt in prompts]
    requests = [SampleRequest(prompt=text, seed=row, max_new_tokens=NEW_TOKENS) for row, text in enumerate(texts)]
    return sum(written.tokens for written in engine.sample(requests))


@torch.no_grad()
def theirs(loaded: LoadedModel, prompts: Sequence[list[int]]) -> int:
    """Tokens written."""
    order = sorted(prompts, key=len, reverse=True)
    model: Any = loaded.model
    written = 0
    for start in range(0, len(order), BATCH):
        ids, mask = padded(order[start : start + BATCH], model.device)
        sizes = {"max_new_tokens": NEW_TOKENS, "min_new_tokens": NEW_TOKENS}
        out = model.generate(ids, attention_mask=mask.long(), do_sample=True, top_k=0, pad_token_id=0, **sizes)
        texts = loaded.tokenizer.batch_decode(out[:, ids.shape[1] :])
        written += sum(len(text.split()) for text in texts)
    return written


def tokens_per_second(write: Callable[[], int]) -> float:
    start = time.perf_counter()
    return write() / (time.perf_counter() - start)


def compare(name: str, loaded: LoadedModel, prompts: Sequence[list[int]], pairs: int) -> float:
    """Print the median speed of both; returns the median of the paired ratios."""
    engine = LocalModel(loaded, batch_size=BATCH)
    assert ours(engine, prompts) == theirs(loaded, prompts) == NEW_TOKENS * len(prompts)  # and both are warm
    speeds = [
        (tokens_per_second(lambda: ours(engine, prompts)), tokens_per_second(lambda: theirs(loaded, prompts)))
        for _ in range(pairs)
    ]
    mine, others = (statistics.median(column) for column in zip(*speeds, strict=True))
    ratio = statistics.median(a / b for a, b in speeds)
    print(f"{name:<24} solon {mine:8,.0f} tokens/s   generate {others:8,.0f} tokens/s   ratio {ratio:.1f}")
    return ratio


def main() -> int:
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 2 * BATCH
    pairs = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    keep_freed_memory()
    device = resolve_device("auto")
    dtype = resolve_dtype("auto", device)
    print(f"{device.type}, {dtype}, {torch.get_num_threads()} threads, {rows} rows, {pairs} pairs")
    loaded = random_model(dtype, device)
    rng = np.random.Generator(np.random.Philox(key=0))
    prompts = [rng.integers(1, VOCABULARY, size=int(rng.integers(60, 151))).tolist() for _ in range(rows)]
    apart = compare("different prompts", loaded, prompts, pairs)
    repeated = [prompt for prompt in prompts[: rows // 8] for _ in range(8)]
    together = compare("8 samples per prompt", loaded, repeated, pairs)
    return int(min(apart, together) < 1)


if __name__ == "__main__":
    raise SystemExit(main())
