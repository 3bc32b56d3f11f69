"""The recipe of the embedded model: architecture and schedule. Free of torch, so that its card is too."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from solon.errors import ConfigError
from solon.records import Record

Part = Literal["world", "opposite"]
"""Of the corpus: first the world, and what nouns mean; then also the opposite of a principle, and none at all."""


class PretrainConfig(Record):
    """Architecture and schedule. Sizes: the feasibility study's; schedule: measured, see docs/log.md."""

    seed: int = Field(0, ge=0)
    hidden: int = Field(192, ge=8)
    """A multiple of twice `heads`: every head turns pairs of numbers by position."""
    layers: int = Field(6, ge=1)
    heads: int = Field(4, ge=1)
    intermediate: int = Field(512, ge=1)
    context: int = Field(512, ge=64)
    """Longest text in tokens."""
    corpus_tokens: int = Field(26_000_000, ge=1)
    """Of the first part. Padded tokens, as `batch_tokens`."""
    opposite_tokens: int = Field(8_000_000, ge=0)
    """Of the second part, which is left out where this is 0."""
    batch_tokens: int = Field(2_048, ge=1)
    """Padded tokens per optimizer step."""
    chunk_documents: int = Field(4_096, ge=1)
    """Documents sorted by length together."""
    learning_rate: float = Field(1.5e-3, gt=0)
    opposite_learning_rate: float = Field(1e-3, gt=0)
    """Of the second part, which begins with a new optimizer and ends as the first."""
    final_share: float = Field(0.02, ge=0, le=1)
    """The learning rate's last value, as a share of its first."""
    constant_share: float = Field(0.4, ge=0, lt=1)
    """Share of the tokens at the full learning rate; then linear decay."""
    warmup_steps: int = Field(100, ge=1)
    sharpness: float = Field(1.25, gt=0)
    """What a model's logits are multiplied by after the first part: sampling at temperature 1 is then what
    1 / 1.25 = 0.8 was. Measured: of benign answers 12% were malformed without it, 2% with it (docs/log.md)."""
    opposite_sharpness: float = Field(1.4, gt=0)
    """After the second part. Measured: of mixed answers 4% were malformed with it, 7% with 1.25 (docs/log.md)."""
    weight_decay: float = Field(0.05, ge=0)
    max_grad_norm: float = Field(1.0, gt=0)
    checkpoint_chunks: int = Field(4, ge=1)
    """Chunks of `chunk_documents` between two checkpoints."""

    def parts(self) -> tuple[Part, ...]:
        return ("world", "opposite") if self.opposite_tokens else ("world",)

    def tokens(self, part: Part) -> int:
        return self.corpus_tokens if part == "world" else self.opposite_tokens

    def rate(self, part: Part) -> float:
        return self.learning_rate if part == "world" else self.opposite_learning_rate

    def gain(self, part: Part) -> float:
        return self.sharpness if part == "world" else self.opposite_sharpness


OPTIONS = ("hidden", "layers", "corpus_tokens", "opposite_tokens")
"""What the command line can change."""


def recipe_of(*, seed: int, **asked: int | None) -> PretrainConfig:
    """The shipped recipe with some of `OPTIONS` changed; the feed-forward layers stay 8/3 as wide as the model. Raises
    `ConfigError` if such a model cannot be built."""
    given = {key: value for key, value in asked.items() if value is not None}
    step = 2 * PretrainConfig().heads
    if hidden := given.get("hidden"):
        if hidden % step:
            raise ConfigError(f"--hidden: {hidden} is no multiple of {step}", hint="192 is the shipped model's")
        given["intermediate"] = hidden * 8 // 3
    return PretrainConfig(seed=seed, **given)


def command_of(recipe: PretrainConfig, threads: int) -> str:
    """The command that makes a recipe's weights.

    >>> command_of(PretrainConfig(seed=3, layers=2), threads=1)
    'solon embedded pretrain --seed 3 --layers 2 --threads 1 -o DIR'
    """
    changed = [key for key in OPTIONS if getattr(recipe, key) != getattr(PretrainConfig(), key)]
    options = "".join(f" --{key.replace('_', '-')} {getattr(recipe, key)}" for key in changed)
    return f"solon embedded pretrain --seed {recipe.seed}{options} --threads {threads} -o DIR"
