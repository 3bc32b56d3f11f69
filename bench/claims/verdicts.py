"""The judge, five worked examples before each question, both orders: verdicts per second beside transformers.

SmolLM2 says which of two answers is better, for pairs of hh-rlhf. Beside it: one forward pass for every prompt, and
`generate` of one token in batches sorted by length, of the size at which it is fastest. All read the same prompts and
must come to the same labels.

    python bench/claims/verdicts.py [--quick] [--rows PAIRS] [--model FOLDER]
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch

from measuring.models import endless, endless_format, solon_engine, threads
from measuring.prompts import hh_rlhf
from measuring.result import Result, at_least
from measuring.script import Options, result, run
from measuring.turns import median_seconds
from peers.generate import at_best_size
from peers.judges import BatchedGenerate, PromptByPrompt
from solon.config.feedback import JudgeSection
from solon.constitution.few_shots import load_few_shots
from solon.constitution.load import load_constitution
from solon.feedback.judge import Judge
from solon.feedback.rows import Sampler
from solon.lm.protocols import LanguageModel, Sampling
from solon.models.load import load_model
from solon.models.runtime import resolve_dtype
from solon.prompting.chat_template import DialogueFormat
from solon.prompting.comparison import comparison_format
from solon.records import Pair, Prompt

APART = 0.1
"""Labels of two engines may differ by so much on average, by rounding and by the tokens behind an option's first."""


@dataclass(frozen=True, kw_only=True)
class Verdicts:
    """Labels of pairs, each from both orders."""

    prompts: Sequence[Prompt]
    pairs: Sequence[Pair]
    format: DialogueFormat

    def judge(self, model: LanguageModel, count: int | None = None) -> list[float]:
        """The labels of the first `count` pairs."""
        judge = Judge(
            sampler=Sampler(model=model, sampling=Sampling(), seed=0, stage="bench"),
            format=comparison_format(self.format),
            principles=load_constitution("harmlessness").comparison_principles(),
            section=JudgeSection(orders="both"),
            shots=load_few_shots("harmlessness"),
        )
        rows = judge.compare(self.pairs[:count], {prompt.id: prompt for prompt in self.prompts})
        labels = [row.p_a_preferred for row in rows.records if row.p_a_preferred is not None]
        if len(labels) != len(self.pairs[:count]) or rows.noted:
            raise RuntimeError(f"{len(labels)} labels; {dict(rows.noted)}, {dict(rows.dropped)}")
        return labels


ASKED = {"transformers, a forward pass for each prompt": 10, "transformers generate of one token": 3}
"""Times the pairs per second."""


def measure(options: Options) -> Iterator[Result]:
    prompts, pairs = hh_rlhf(options.size(64, 2))
    some, most = len(pairs) // 4 or 1, 2 * len(pairs)
    dtype = resolve_dtype("auto", torch.device("cpu"))
    with tempfile.TemporaryDirectory() as work:
        model, format = endless(options.smollm2(), Path(work) / "endless"), endless_format(options.smollm2())
        verdicts, loaded = (
            Verdicts(prompts=prompts, pairs=pairs, format=format),
            load_model(model, dtype=dtype, device="cpu"),
        )
        batched = at_best_size(
            lambda size: BatchedGenerate(loaded, format, size), lambda peer: verdicts.judge(peer, some), most
        )
        peers: list[LanguageModel] = [PromptByPrompt(loaded, format), batched]
        models = {"solon": solon_engine(model, format), **dict(zip(ASKED, peers, strict=True))}
        _must_agree({name: verdicts.judge(model, some) for name, model in models.items()})
        sides = {name: partial(verdicts.judge, model) for name, model in models.items()}
        rates = {name: len(pairs) / taken for name, taken in median_seconds(sides, options.repetitions).items()}
    setting = f"{len(pairs)} pairs, 5-shot, both orders, {dtype}, {threads()} threads, batches of {batched.batch_size}"
    for peer, times in ASKED.items():
        yield result(
            "SmolLM2, verdicts",
            setting=setting,
            peer=peer,
            peer_figure=rates[peer],
            solon_figure=rates["solon"],
            unit="pairs/s",
            asked=at_least(times),
        )


def _must_agree(labels: dict[str, list[float]]) -> None:
    for name, others in labels.items():
        apart = sum(abs(a - b) for a, b in zip(labels["solon"], others, strict=True)) / len(others)
        if apart > APART:
            raise RuntimeError(f"labels of {name} are {apart:.3f} from Solon's on average")


if __name__ == "__main__":
    raise SystemExit(run(__doc__, measure))
