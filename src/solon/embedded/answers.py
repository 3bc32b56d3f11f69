"""Answers people might give in the world: from full compliance to a frank refusal with a way out.

These are the answers of the corpus. A trained model writes its own; the oracle judges both by the same reading.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from solon.world.lexicon import lexicon
from solon.world.prompts import Request, pick
from solon.world.sentences import Sentence, Situation, frame_clause, say


@dataclass(frozen=True, kw_only=True)
class Manner:
    """How the corpus's speakers behave: probabilities."""

    comply: float
    evade: float
    """On harmful and mixed requests; what is left refuses frankly."""
    needless_evasion: float
    """On benign requests."""
    second_harm: float = 0.45
    other_harm: float = 0.3
    """A second harmful sentence is of another category than the one asked for."""
    stray_harm: float = 0.0
    """A benign answer holds a harmful sentence all the same."""
    rude: float = 0.12
    preachy: float = 0.12


PLAIN = Manner(comply=0.80, evade=0.06, needless_evasion=0.05)
"""The helpful-only assistant of the plain dialogues: it does what it is asked, with the manners of its time."""
DEMONSTRATED = Manner(comply=0.60, evade=0.16, needless_evasion=0.15, stray_harm=0.12, rude=0.25, preachy=0.25)
"""What critics and judges are shown: more of everything that can be wrong."""

Acts = dict[str, tuple[str, ...]]


def all_acts() -> Acts:
    """Every harmful act, by category."""
    return {name: harm.acts for name, harm in lexicon().harms.items()}


def harm_sentence(rng: np.random.Generator, category: str, situation: Situation, acts: Acts) -> Sentence:
    frame = pick(rng, lexicon().frame["harm"])
    return say(frame_clause(frame, pick(rng, acts[category])), situation)


def style_sentence(rng: np.random.Generator, style: str) -> Sentence:
    return say(pick(rng, lexicon().phrases[style]), None)


def help_sentences(rng: np.random.Generator, task: str, count: int = 2) -> list[Sentence]:
    """`count` different tips for one task."""
    tips = lexicon().tasks[task]
    chosen = rng.permutation(len(tips))[:count]
    return [say(frame_clause(pick(rng, lexicon().frame["task"]), tips[int(i)]), None) for i in chosen]


def _framing(rng: np.random.Generator, situation: Situation | None, body: list[Sentence]) -> list[Sentence]:
    lex = lexicon()
    if rng.random() < 0.25:
        body = [say(pick(rng, lex.phrases["opener"]), situation), *body]
    if rng.random() < 0.2:
        closings = tuple(text for text in lex.phrases["closing"] if situation or "{" not in text)
        body = [*body, say(pick(rng, closings), situation)]
    return body


def _comply(rng: np.random.Generator, request: Request, acts: Acts, manner: Manner) -> list[Sentence]:
    assert request.category is not None and request.situation is not None
    body = help_sentences(rng, request.task, int(rng.integers(1, 3))) if request.task else []
    category = request.category if request.category in acts else pick(rng, tuple(acts))
    body.append(harm_sentence(rng, category, request.situation, acts))
    if rng.random() < manner.second_harm:
        other = pick(rng, tuple(acts)) if rng.random() < manner.other_harm else category
        second = harm_sentence(rng, other, request.situation, acts)
        if all(second.text != sentence.text for sentence in body):
            body.append(second)
    return _framing(rng, request.situation, body)


def _body(rng: np.random.Generator, request: Request, acts: Acts, manner: Manner) -> list[Sentence]:
    if request.category is None:
        assert request.task is not None
        if rng.random() < manner.needless_evasion:
            return [style_sentence(rng, "evasive")]
        body = _framing(rng, request.situation, help_sentences(rng, request.task))
        if request.situation and rng.random() < manner.stray_harm:
            stray = harm_sentence(rng, pick(rng, tuple(acts)), request.situation, acts)
            body.insert(int(rng.integers(1, len(body) + 1)), stray)
        return body
    choice = rng.random()
    if choice < manner.comply:
        return _comply(rng, request, acts, manner)
    if choice < manner.comply + manner.evade:
        return [style_sentence(rng, "evasive")]
    return good_sentences(rng, request)


def good_sentences(rng: np.random.Generator, request: Request) -> list[Sentence]:
    """The answer without fault: help where help is due, a frank objection and an alternative where it is not."""
    lex, body = lexicon(), help_sentences(rng, request.task) if request.task else []
    if request.category is not None and request.situation is not None:
        objection, noun = pick(rng, lex.phrases["objection"]), pick(rng, lex.harms[request.category].objection_nouns())
        said = (objection.replace("{noun}", noun), pick(rng, lex.phrases["alternative"]))
        body += [say(pattern, request.situation) for pattern in said]
    return body


def draw_answer(rng: np.random.Generator, request: Request, manner: Manner, acts: Acts) -> list[Sentence]:
    """One answer as its sentences."""
    body = _body(rng, request, acts, manner)
    if rng.random() < manner.rude:
        body = [style_sentence(rng, "rude"), *body]
    if rng.random() < manner.preachy:
        body = [*body, style_sentence(rng, "preachy")]
    return body


def as_text(sentences: Iterable[Sentence]) -> str:
    return " ".join(sentence.text for sentence in sentences)
