"""How poor the texts of a stage are, counted, told, and held against what the run file allows.

flaws of each text -> counts in its stage's manifest -> `TextQuality` -> console, report, a stop before training
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Literal, get_args

from solon.config.feedback import QualitySection
from solon.errors import Fault, NoiseError
from solon.evals.flaws import CRITIQUE_ECHO, REVISION_ECHOES, UNCHANGED, Flaw, flaws
from solon.lm.protocols import Completion
from solon.records import Record

Kind = Literal["answer", "critique", "revision", "rationale"]
"""Of a text that a model writes."""
_SIZES = ("{}s written", "{}s that are noise", "{}s that are sound", "{} tokens", "{} nats")
SIZES = frozenset(size.format(kind) for kind in get_args(Kind) for size in _SIZES)
"""Counts that shares are of, and that say little by themselves."""
_ECHOES: dict[Kind, tuple[str, ...]] = {"critique": (CRITIQUE_ECHO,), "revision": (*REVISION_ECHOES, UNCHANGED)}
_SAMPLED: dict[Kind, str] = {
    "answer": "sampling.answers",
    "critique": "sampling.revisions",
    "revision": "sampling.revisions",
    "rationale": "sampling.reasoning",
}
"""The section of the run file that says how such texts are drawn."""
_OF_PAIRS = ("pairs", "rankings", "helpfulness")
"""Stages whose answers the section `pairs` draws."""
_KNOBS: dict[Flaw, str] = {
    "empty": "see to models.dialogue and supervised.ask",
    "repeating": "raise {where}.temperature",
    "off-format": "see to models.dialogue, or lower {where}.temperature or top_p",
    "improbable": "lower {where}.temperature or top_p",
    "unfinished": "raise {where}.max_new_tokens",
}
"""What to turn where most texts have this flaw."""
_ASK = "choose another supervised.ask or other constitution.few_shots"


def counted(
    kind: Kind, completion: Completion, guard: Callable[[str], str], echo: str | None = None
) -> tuple[Counter[str], Counter[str]]:
    """One text, as its stage counts it: flaws and echo, and what their shares are of."""
    text, logprobs = completion.text, completion.logprobs
    found = flaws(text, finished=not completion.truncated, logprobs=logprobs, guard=guard)
    noise = bool(set(found) - {"unfinished"})
    sizes = (
        1,
        int(noise),
        int(not noise and echo is None),
        len(logprobs),
        round(-math.fsum(filter(math.isfinite, logprobs))),
    )
    named = {name.format(kind): size for name, size in zip(_SIZES, sizes, strict=True)}
    return Counter([*(f"{flaw} {kind}" for flaw in found), *filter(None, [echo])]), Counter(named)


class TextQuality(Record):
    """The texts of one kind that a stage wrote."""

    stage: str
    kind: Kind
    written: int
    noise: int
    """Texts with any flaw but that they are unfinished."""
    sound: int
    """Texts that are neither noise nor an echo."""
    flaws: dict[str, int]
    """Texts by `Flaw`."""
    echoes: dict[str, int]
    """Texts by what they repeat; one text has one echo at most."""
    logprob: float | None
    """Mean log-probability of a token under the distribution that it was drawn from, in nats; null if not known."""

    @property
    def repeated(self) -> int:
        """Texts that repeat what they were made from; a revision that changes nothing is not among them."""
        return sum(n for name, n in self.echoes.items() if name != UNCHANGED)

    @property
    def unchanged(self) -> int | None:
        """Of revisions, those that change nothing."""
        return self.echoes.get(UNCHANGED)

    @property
    def shares(self) -> dict[str, float]:
        """What is wrong with them, as shares of the texts, e.g. `repeat their critique`; what is not, is left out."""
        named = {name.removeprefix(f"{self.kind}s that "): n for name, n in self.echoes.items()}
        return {name: n / self.written for name, n in {**self.flaws, **named}.items() if n}

    def __str__(self) -> str:
        """E.g. `24 revisions: 12% repeating, 33% repeat their critique; -0.41 nats per token`."""
        told = ", ".join(f"{share:.0%} {name}" for name, share in self.shares.items()) or "no flaws"
        nats = "" if self.logprob is None else f"; {self.logprob:.2f} nats per token"
        return f"{self.written:,} {self.kind}s: {told}{nats}"


def text_quality(stage: str, counts: Mapping[str, int]) -> list[TextQuality]:
    """What a stage's manifest has counted of the texts that it wrote."""
    found = ((kind, [counts.get(name.format(kind), 0) for name in _SIZES]) for kind in get_args(Kind))
    return [
        TextQuality(
            stage=stage,
            kind=kind,
            written=written,
            noise=noise,
            sound=sound,
            flaws={flaw: counts.get(f"{flaw} {kind}", 0) for flaw in get_args(Flaw)},
            echoes={name: counts.get(name, 0) for name in _ECHOES.get(kind, ())},
            logprob=0.0 - nats / tokens if tokens else None,
        )
        for kind, (written, noise, sound, tokens, nats) in found
        if written
    ]


def require_quality(texts: Sequence[TextQuality], limits: QualitySection) -> None:
    """Raises `NoiseError`, with what to turn, if a larger share of one kind of text is poor than the limits allow."""
    faults = [fault for one in texts for fault in _faults(one, limits)]
    if faults:
        raise NoiseError(faults)


def _faults(one: TextQuality, limits: QualitySection) -> Iterator[Fault]:
    worst = max((flaw for flaw in get_args(Flaw) if flaw != "unfinished"), key=lambda flaw: one.flaws[flaw])
    poor = (
        ("max_noise", one.noise, f"are noise, mostly {worst}", _KNOBS[worst]),
        ("max_unfinished", one.flaws["unfinished"], "are cut off", _KNOBS["unfinished"]),
        ("max_echoes", one.repeated, "repeat what they were made from", _ASK),
        ("max_unchanged", one.unchanged or 0, "change nothing", _ASK),
    )
    for key, count, what, knob in poor:
        if count > getattr(limits, key) * one.written:
            allowed = f"more than the share of {getattr(limits, key):g} that quality.{key} allows"
            turn = knob.format(where="pairs" if one.stage in _OF_PAIRS else _SAMPLED[one.kind])
            hint = f"{turn} or take another model, in a new run; or allow more in this one: --set quality.{key}=1"
            yield Fault(f"stage {one.stage}: {count} of {one.written} {one.kind}s {what}, {allowed}", hint=hint)
