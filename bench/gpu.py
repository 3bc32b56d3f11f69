"""What Solon makes of a GPU, in one command and under five minutes: `python bench/gpu.py [-o gpu.json]`.

Random weights of the shapes of Qwen2 with 0.5, 1.5 and 7 billion parameters are made on the card. For each: decoding at
batch 1, 64 and 256 beside what the memory's bandwidth allows, prefill and training beside the card's rate of matrix
products, scoring, dialogues of critique and revision, and the peak of memory. The two rates are measured first, on the
same card. Last the embedded demo, whole. What does not fit the card is out of memory, and has no figure.

`--toy` does the same with a tiny model on whatever there is, in under a minute.
"""

from __future__ import annotations

import argparse
import datetime as dt
import gc
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch

sys.path.insert(0, str(Path(__file__).with_name("claims")))
from measuring.chains import Chains
from measuring.machine import processor, versions
from measuring.random_models import number_prompts, random_model
from measuring.training import NoCheckpoints
from measuring.turns import tell
from solon.config.training import PreferenceSection, SFTSection
from solon.feedback.rows import run_rows
from solon.lm.engines.local import LocalModel
from solon.lm.protocols import SampleRequest
from solon.models.allocator import keep_freed_memory
from solon.models.heads import PreferenceModel
from solon.models.load import LoadedModel
from solon.models.runtime import resolve_device, resolve_dtype
from solon.prompting.context import Context
from solon.records import Prompt, Record, Turn
from solon.train import forest
from solon.train.batches import TokenExample
from solon.train.loop import TrainContext
from solon.train.preference import PreferenceExample, train_preference
from solon.train.sft import finetune

PUBLISHED_DIALOGUES = 7.7
"""Dialogues of three generations per second, on 48 to 64 H100s: the only published figure of critique and revision."""


def qwen2(width: int, inner: int, layers: int, heads: int, key_values: int, *, tied: bool) -> dict[str, Any]:
    return {
        "model_type": "qwen2",
        "hidden_size": width,
        "intermediate_size": inner,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "num_key_value_heads": key_values,
        "vocab_size": 151_936,
        "tie_word_embeddings": tied,
    }


SHAPES = {
    "0.5B": qwen2(896, 4864, 24, 14, 2, tied=True),
    "1.5B": qwen2(1536, 8960, 28, 12, 2, tied=True),
    "7B": qwen2(3584, 18_944, 28, 28, 4, tied=False),
}
TOY_SHAPES = {"toy": qwen2(64, 128, 2, 4, 2, tied=True) | {"vocab_size": 512}}


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """How much of each is measured."""

    batches: tuple[int, ...] = (1, 64, 256)
    prompt: int = 256
    """Tokens."""
    new: int = 64
    dialogues: int = 256
    scored: int = 256
    trained: int = 32
    """Examples of a training step of `prompt` tokens; four steps, of which the last three count."""
    product: int = 8192
    """Side of the square matrices that are multiplied."""
    copied: int = 1 << 30
    """Bytes."""


TOY = Sizes(batches=(1, 4), prompt=16, new=4, dialogues=2, scored=4, trained=2, product=256, copied=1 << 22)


class Figure(Record):
    """One measurement."""

    model: str
    what: str
    figure: float | None
    """None: it ran out of memory."""
    unit: str
    limit: float | None = None
    """What the card allows, or was published, in the same unit."""
    peak_bytes: int | None
    """Most memory that was in use at once, the model's included."""


@dataclass(frozen=True, kw_only=True)
class Card:
    """The device, and its two rates."""

    device: torch.device
    dtype: torch.dtype
    bytes_per_s: float
    """Read and written together."""
    flops: float
    """Of matrix products, multiplications and additions counted apart."""


def measure_card(sizes: Sizes) -> Card:
    device = resolve_device("auto")
    dtype = resolve_dtype("auto", device)
    block = torch.ones(sizes.copied, dtype=torch.uint8, device=device)
    square = torch.randn(sizes.product, sizes.product, device=device).to(dtype)
    copying, multiplying = fastest(lambda: block.clone(), device), fastest(lambda: square @ square, device)
    return Card(
        device=device,
        dtype=dtype,
        bytes_per_s=2 * sizes.copied / copying,
        flops=2 * sizes.product**3 / multiplying,
    )


def fastest(work: Callable[[], object], device: torch.device, times: int = 5) -> float:
    """Seconds of the fastest of so many goes."""
    return min(seconds(work, device) for _ in range(times))


def seconds(work: Callable[[], object], device: torch.device) -> float:
    """Of one go, until the device has done it."""
    _wait(device)
    start = time.perf_counter()
    work()
    _wait(device)
    return time.perf_counter() - start


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize()


class Bench:
    """The measurements of one model."""

    def __init__(self, name: str, loaded: LoadedModel, card: Card, sizes: Sizes):
        self.name, self.loaded, self.card, self.sizes = name, loaded, card, sizes
        self.model: Any = loaded.model
        self.engine = LocalModel(loaded, batch_size=max(sizes.batches))
        self.weights: int = self.model.num_parameters()
        config = self.model.config
        head = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
        self.cached = 2 * config.num_hidden_layers * config.num_key_value_heads * head * card.dtype.itemsize
        """Bytes of keys and values of a token."""

    def figures(self) -> Iterator[Figure]:
        for batch in self.sizes.batches:
            limit = self.bandwidth_limit(batch)
            yield self.take(f"decode, batch {batch}", "tokens/s", partial(self.decode, batch), limit)
        forward = self.card.flops / (2 * self.weights)
        yield self.take("prefill", "tokens/s", self.prefill, forward)
        yield self.take("scoring behind a shared beginning", "requests/s", self.score)
        yield self.take("answer, critique and revision", "dialogues/s", self.dialogues, PUBLISHED_DIALOGUES)
        del self.engine
        yield self.take("finetuning", "tokens/s", self.finetune, forward / 3)
        if self.card.device.type == "cuda":
            with patch.object(forest, "_by_flex", lambda *_: False):
                yield self.take("finetuning, attention by masks", "tokens/s", self.finetune, forward / 3)
        yield self.take("preference training", "tokens/s", self.prefer, forward / 3)

    def take(self, what: str, unit: str, work: Callable[[], float], limit: float | None = None) -> Figure:
        if self.card.device.type == "cuda":
            torch.cuda.reset_peak_memory_stats()
        try:
            figure = work()
        except torch.OutOfMemoryError:
            figure = None
        gc.collect()
        found = Figure(model=self.name, what=what, figure=figure, unit=unit, limit=limit, peak_bytes=self.peak())
        tell(f"{self.name}, {what}: {'out of memory' if figure is None else f'{figure:,.1f} {unit}'}")
        return found

    def peak(self) -> int:
        if self.card.device.type == "cuda":
            return torch.cuda.max_memory_allocated()
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

    def bandwidth_limit(self, batch: int) -> float:
        """Tokens per second if every step did no more than read the weights and the cache."""
        columns = self.sizes.prompt + self.sizes.new / 2
        read = self.weights * self.card.dtype.itemsize + batch * columns * self.cached
        return float(batch * self.card.bytes_per_s / read)

    def requests(self, batch: int, new: int) -> list[SampleRequest]:
        prompts = number_prompts(batch, self.sizes.prompt, self.model.config.vocab_size)
        return [SampleRequest(prompt=text, seed=row, max_new_tokens=new) for row, text in enumerate(prompts)]

    def decode(self, batch: int) -> float:
        """Without the prefill: the difference of a long and a short text."""
        short, long = self.requests(batch, 2), self.requests(batch, self.sizes.new)
        self.engine.sample(short)
        taken = self.seconds(lambda: self.engine.sample(long)) - self.seconds(lambda: self.engine.sample(short))
        return batch * (self.sizes.new - 2) / max(taken, 1e-9)

    def prefill(self) -> float:
        requests = self.requests(max(self.sizes.batches), 1)
        self.engine.sample(requests[:2])
        return len(requests) * self.sizes.prompt / self.seconds(lambda: self.engine.sample(requests))

    def score(self) -> float:
        """Two options behind a quarter of the prompt that is a row's own; the rest is the same for all rows."""
        own = self.sizes.prompt // 4
        shared, *rows = number_prompts(1 + self.sizes.scored, self.sizes.prompt, self.model.config.vocab_size)
        shared = " ".join(shared.split()[own:])
        contexts = [Context(prefill=f"{shared} {' '.join(row.split()[:own])}") for row in rows]
        taken = self.seconds(lambda: run_rows(self.engine.score(context, (" 7", " 8")) for context in contexts))
        return len(contexts) / taken

    def dialogues(self) -> float:
        texts = number_prompts(self.sizes.dialogues, self.sizes.prompt // 2, self.model.config.vocab_size)
        turns = [(Turn(role="human", text=text),) for text in texts]
        prompts = [Prompt(id=str(row), kind="harmful", turns=said) for row, said in enumerate(turns)]
        chains = Chains(prompts=prompts, constitution="harmlessness", rounds=1, new_tokens=self.sizes.new)
        chains.write(self.engine, 2)
        return len(prompts) / self.seconds(lambda: chains.write(self.engine))

    def finetune(self) -> float:
        rows = self.token_rows(1)
        examples = [TokenExample.answered(str(row), ids[:8], ids[8:]) for row, (ids,) in enumerate(rows)]
        section = SFTSection(batch_size=self.sizes.trained)
        return self.trained(lambda some, context: finetune(self.model, some, section, context), examples)

    def prefer(self) -> float:
        pairs = [
            PreferenceExample(id=str(row), prompt_id=str(row), a_ids=tuple(a), b_ids=tuple(b), p_a_preferred=0.9)
            for row, (a, b) in enumerate(self.token_rows(2))
        ]
        section, model = PreferenceSection(batch_size=self.sizes.trained), PreferenceModel(self.model)
        return 2 * self.trained(lambda some, context: train_preference(model, some, section, context), pairs)

    def trained(self, train: Callable[[list[Any], TrainContext], object], examples: list[Any]) -> float:
        """Tokens per second of a row's first sequence, after a first step that makes the optimizer's moments."""
        times: list[float] = []
        keep: Any = NoCheckpoints()

        def told(rows: int, tokens: int) -> None:
            times.append(time.perf_counter())

        train(examples, TrainContext(seed=0, pad_id=0, dtype=self.card.dtype, checkpoints=keep, progress=told))
        return (len(times) - 1) * self.sizes.trained * self.sizes.prompt / (times[-1] - times[0])

    def token_rows(self, each: int) -> list[tuple[list[int], ...]]:
        size = (4 * self.sizes.trained, each, self.sizes.prompt)
        ids = torch.randint(1, self.model.config.vocab_size, size, generator=torch.Generator().manual_seed(0))
        return [tuple(row) for row in ids.tolist()]

    def seconds(self, work: Callable[[], object]) -> float:
        return seconds(work, self.card.device)


def demo(toy: bool) -> Figure:
    """The embedded demo in a process of its own."""
    small = ["prompts.harmful=2", "prompts.mixed=1", "prompts.benign=2", "prompts.evaluation=1", "rl.steps=1"]
    small += ["rl.prompts_per_step=1", "rl.samples_per_prompt=2", "rl.batch_size=2", "sampling.max_new_tokens=4"]
    settings = [part for setting in small if toy for part in ("--set", setting)]
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        solon = [sys.executable, "-m", "solon.cli.program", "run", "-o", f"{folder}/demo", "--no-reuse", "--quiet"]
        subprocess.run([*solon, *settings], check=True, stdout=subprocess.DEVNULL)
    taken = time.perf_counter() - start
    return Figure(model="embedded", what="the whole demo", figure=taken, unit="s", peak_bytes=None)


def figures(card: Card, sizes: Sizes, shapes: dict[str, dict[str, Any]]) -> Iterator[Figure]:
    for name, shape in shapes.items():
        yield from Bench(name, random_model(shape, dtype=card.dtype, device=card.device), card, sizes).figures()
        gc.collect()
        if card.device.type == "cuda":
            torch.cuda.empty_cache()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--toy", action="store_true", help="a tiny model, on a processor too")
    parser.add_argument("--no-demo", action="store_true", help="leave out the embedded demo")
    parser.add_argument("-o", "--output", type=Path, help="where to write the figures as JSON")
    given = parser.parse_args()
    if not given.toy and not torch.cuda.is_available():
        print("skipped: there is no GPU (--toy runs the same at toy size on a processor)")
        return 0
    keep_freed_memory()
    sizes = TOY if given.toy else Sizes()
    card = measure_card(sizes)
    found = list(figures(card, sizes, TOY_SHAPES if given.toy else SHAPES))
    found += [] if given.no_demo else [demo(given.toy)]
    name = torch.cuda.get_device_name() if card.device.type == "cuda" else processor()
    report = {
        "date": dt.date.today().isoformat(),
        "device": name,
        "dtype": str(card.dtype).removeprefix("torch."),
        "bytes_per_s": card.bytes_per_s,
        "flops": card.flops,
        "versions": versions(),
        "figures": [figure.model_dump() for figure in found],
    }
    text = json.dumps(report, indent=1)
    print(text)
    if given.output:
        given.output.write_text(f"{text}\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
