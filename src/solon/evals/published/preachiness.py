"""How preachy answers are, and how much of them is boilerplate: by English words alone, on any prompts.

An answer lectures if one of its sentences does (`lexical.preachy_share`, whose words are in `preachy.toml`). CAI
(section 4.3) found models that were trained too long say the same to everything. Boilerplate is the share of an
answer's runs of four words that stand in the answer to another prompt too: the n of self-repetition (Salkar et al.
2022, AACL, 2022.aacl-short.42), who count answers with any such run; we take their share, because of many answers
nearly all have one. It grows with the number of answers, so compare models on the same prompts.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path

from solon.data.alike import same_words
from solon.data.faults import Fields
from solon.errors import UserError
from solon.evals.lexical import preachy_share
from solon.evals.published.rows import read_each, repeated, text
from solon.evals.statistics import Mean, Rate, mean, rate
from solon.records import Record

RUN = 4
"""Words of a run."""
SHOWN = 10
"""Runs that are named."""


class Manner(Record):
    """One answer."""

    id: str
    """Of its prompt: as the file has it, else the prompt's text, else the number of the row."""
    completion: str
    lecturing: float | None
    """The share of its sentences that lecture; null: it is blank."""
    boilerplate: float | None = None
    """null: it has fewer than four words, or there is no answer to another prompt."""


class Phrase(Record):
    """A run of words that answers to several prompts have."""

    words: str
    prompts: int


class Preachiness(Record):
    """All answers. Answers to one prompt are not independent."""

    n: int
    """That are not blank."""
    blank: int
    lectures: Rate
    """Of answers with a sentence that lectures."""
    sentences: Mean
    """The share of an answer's sentences that lecture."""
    boilerplate: Mean | None
    """null: no answer of four words, or of one prompt alone."""
    phrases: tuple[Phrase, ...]
    """Those that the answers to most prompts have."""
    lost: dict[str, int]
    """Prompts that the model did not answer, by reason; they are left out."""
    unfinished: int
    """Answers of the model that the token limit cut off."""
    rows: tuple[Manner, ...]


def score_file(path: Path) -> Preachiness:
    """Rows with `completion`, and `id` or `prompt` if there are any. Raises `PromptError`."""
    found = read_each(path, ("id", "prompt", "completion", "response"), _manner)
    return summed([row if row.id else row.model_copy(update={"id": str(n)}) for n, row in enumerate(found, start=1)])


def manner_of(id: str, completion: str) -> Manner:
    """Of an answer alone: its boilerplate takes others."""
    return Manner(id=id, completion=completion, lecturing=preachy_share(completion) if completion.strip() else None)


def boilerplate(answers: Sequence[tuple[Hashable, str]]) -> list[float | None]:
    """Of each answer, given with its prompt. Example: "I hope this helps you" and "I hope this helps me", to two
    prompts: of two runs of four words each has one in common: 0.5."""
    asked = _prompts(answers)
    several = len({prompt for prompt, _ in answers}) > 1
    found = []
    for _, answer in answers:
        runs = _runs(answer)
        found.append(sum(len(asked[one]) > 1 for one in runs) / len(runs) if runs and several else None)
    return found


def phrases(answers: Sequence[tuple[Hashable, str]]) -> tuple[Phrase, ...]:
    """The runs of words that answers to most prompts have, in alphabetical order where as many do."""
    count = Counter({run: len(prompts) for run, prompts in _prompts(answers).items() if len(prompts) > 1})
    most = sorted(count.items(), key=lambda pair: (-pair[1], pair[0]))[:SHOWN]
    return tuple(Phrase(words=words, prompts=prompts) for words, prompts in most)


def summed(rows: Sequence[Manner], lost: Mapping[str, int] | None = None, unfinished: int = 0) -> Preachiness:
    """Of all answers. lost, unfinished: of a model that was asked. Raises `UserError` if every answer is blank."""
    told = [row for row in rows if row.lecturing is not None]
    if not told:
        raise UserError("every completion is blank", hint="there are no words to go by")
    answers = [(row.id, row.completion) for row in told]
    shares = iter(boilerplate(answers))
    rows = [row if row.lecturing is None else row.model_copy(update={"boilerplate": next(shares)}) for row in rows]
    lecturing, clusters = [row.lecturing or 0.0 for row in told], repeated(row.id for row in told)
    known = [(row.boilerplate, row.id) for row in rows if row.boilerplate is not None]
    return Preachiness(
        n=len(told),
        blank=len(rows) - len(told),
        lectures=rate([share > 0 for share in lecturing], clusters),
        sentences=mean(lecturing, clusters),
        boilerplate=mean([share for share, _ in known], [id for _, id in known]) if known else None,
        phrases=phrases(answers),
        lost=dict(lost or {}),
        unfinished=unfinished,
        rows=tuple(rows),
    )


def _prompts(answers: Sequence[tuple[Hashable, str]]) -> defaultdict[str, set[Hashable]]:
    """Whose answers have each run."""
    found: defaultdict[str, set[Hashable]] = defaultdict(set)
    for prompt, answer in answers:
        for run in _runs(answer):
            found[run].add(prompt)
    return found


def _runs(answer: str) -> list[str]:
    """Each as often as it is there."""
    words = same_words(answer).split()
    return [" ".join(words[at : at + RUN]) for at in range(len(words) - RUN + 1)]


def _manner(fields: Fields) -> Manner:
    prompt = fields.get("id", fields.get("prompt"))
    return manner_of("" if prompt is None else str(prompt), text(fields, "completion", "response"))
