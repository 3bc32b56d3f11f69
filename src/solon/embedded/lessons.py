"""Lessons: the structured examples from which the embedded model is taught. Their rendering is `embedded.corpus`'s.

Plain dialogues use every word of the world, and so do facts (`embedded.facts`). Demonstrations (critique, revision,
comparison) use the demonstrated entities, tasks, acts, nouns and templates alone, and never the held-out category of
harm.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

import numpy as np

from solon.embedded.answers import (
    DEMONSTRATED,
    PLAIN,
    Acts,
    all_acts,
    draw_answer,
    good_sentences,
    harm_sentence,
    style_sentence,
)
from solon.embedded.wordings import Wording, draw_terms, draw_wording, turned_round, without_principle
from solon.records import PromptKind, Turn
from solon.world.lexicon import HELD_OUT_HARM, Split, lexicon
from solon.world.oracle import Judgement, Terms, names, targeted
from solon.world.prompts import Request, draw_request, draw_turns, pick
from solon.world.sentences import Meaning, Sentence, Situation

NO_PROBLEM = "none"
KINDS: tuple[PromptKind, ...] = ("harmful", "benign", "mixed")


@dataclass(frozen=True, kw_only=True)
class Scene:
    """One prompt, its meaning, and one answer."""

    turns: tuple[Turn, ...]
    request: Request
    answer: tuple[Sentence, ...]


@dataclass(frozen=True, kw_only=True)
class CritiqueLesson:
    """An answer, what a principle finds in it, and the answer without that."""

    scene: Scene
    wording: Wording
    critique: str
    revision: tuple[Sentence, ...]


@dataclass(frozen=True, kw_only=True)
class ComparisonLesson:
    """Two answers and, for each of several principles, whether the first is the better one (None: equal)."""

    turns: tuple[Turn, ...]
    first: tuple[Sentence, ...]
    second: tuple[Sentence, ...]
    questions: tuple[tuple[Wording, bool | None], ...]


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What a demonstration, or a test of skill, may use."""

    split: Split
    acts: Acts
    """By the harms that may be asked for."""
    terms: Terms
    held_out_wording: bool = False


@dataclass(frozen=True, kw_only=True)
class Mixture:
    """How often what is hard comes up in lessons."""

    hit_share: float = 0.5
    """Of critiques of faulty answers: how many are asked under a principle that names one of the faults."""
    spotless_share: float = 0.12
    """Critiques of answers without any fault on purpose."""
    tie_share: float = 0.2
    """Of questions about answers that differ: those whose principle names none of the differences."""
    swap_share: float = 0.0
    """Of second answers: the first with one harm for another. Only they tell a judge who knows which harm is which
    from one who likes the answer with less of any."""
    edit_share: float = 0.45
    """Of the other second answers: the first with one fault more or less; up to 0.65 they are without fault."""
    turned_share: float = 0.0
    """Of questions about two answers: those that ask for the opposite of a principle."""
    blank_share: float = 0.0
    """Of questions about two answers: those that name nothing, under which any two are equal."""
    follow_ups: tuple[float, ...] = (0.5, 0.3, 0.2)
    """Probabilities of 0, 1, ... further questions about a pair, or critiques of an answer."""

    def draw_follow_ups(self, rng: np.random.Generator) -> int:
        return int(rng.choice(len(self.follow_ups), p=self.follow_ups))


@cache
def demonstration_setting() -> Setting:
    """All that demonstrations may use, and nothing that is held out."""
    lex = lexicon()
    acts = {name: harm.demonstrated_acts() for name, harm in lex.harms.items() if name != HELD_OUT_HARM}
    faults = (name for name in lex.faults if name != HELD_OUT_HARM)
    return Setting(split="demonstration", acts=acts, terms=("harm", *faults, "unrelated"))


def draw_kind(rng: np.random.Generator) -> PromptKind:
    return KINDS[int(rng.choice(3, p=[0.45, 0.35, 0.2]))]


def plain_dialogue(rng: np.random.Generator) -> Scene:
    """The helpful-only assistant at work, with every word of the world."""
    request = draw_request(rng, draw_kind(rng), "all")
    turns = draw_turns(rng, request)
    return Scene(turns=turns, request=request, answer=tuple(draw_answer(rng, request, PLAIN, all_acts())))


def draw_scene(rng: np.random.Generator, setting: Setting) -> Scene:
    request = draw_request(rng, draw_kind(rng), setting.split, tuple(setting.acts))
    answer = draw_answer(rng, request, DEMONSTRATED, setting.acts)
    return Scene(turns=draw_turns(rng, request), request=request, answer=tuple(answer))


def sentence_fault(sentence: Sentence) -> str | None:
    """The fault that a sentence is, if any."""
    kind = sentence.meaning.kind
    if kind == "harm":
        return sentence.meaning.category
    return kind if kind in lexicon().styles else None


def about(terms: Terms, sentences: Iterable[Sentence]) -> list[Sentence]:
    """The sentences that a principle with these terms is about."""
    return [sentence for sentence in sentences if names(terms, sentence_fault(sentence))]


def critique_text(scene: Scene, terms: Terms) -> str:
    """One clause for every sentence that the principle is about, in order; or that there is none."""
    clauses = dict.fromkeys(
        _clause(sentence.meaning, scene.request.situation) for sentence in about(terms, scene.answer)
    )
    return " ".join(clauses) or lexicon().critique[NO_PROBLEM]


def _clause(meaning: Meaning, situation: Situation | None) -> str:
    lex = lexicon()
    if meaning.category is None or meaning.clause is None:
        return lex.critique[meaning.kind]
    act = situation.fill(meaning.clause) if situation else meaning.clause
    return lex.critique["harm"].replace("{act}", act).replace("{noun}", lex.harms[meaning.category].nouns[0])


def revise(rng: np.random.Generator, scene: Scene, terms: Terms) -> tuple[Sentence, ...]:
    """The sentences that the principle is about deleted, all others kept word for word.

    Where harm was removed, an objection that names it and an alternative stand in its place, unless the answer
    already objects; where an evasion was removed, the answer that was owed.
    """
    removed = about(terms, scene.answer)
    kept = [s for s in scene.answer if s not in removed]
    has = {sentence.meaning.kind for sentence in kept}
    harms = [s.meaning.category for s in removed if s.meaning.kind == "harm"]
    owed: list[Sentence] = []
    if harms and "objection" not in has:
        owed = good_sentences(rng, Request(situation=scene.request.situation, category=harms[0], task=None))
    elif any(s.meaning.kind == "evasive" for s in removed) and not has & {"harm", "objection", "tip"}:
        owed = good_sentences(rng, scene.request)
    endings = [s for s in kept if s.meaning.kind in ("closing", "preachy")]
    return (*(s for s in kept if s not in endings), *owed, *endings)


BROAD_SHARE = 0.35
"""How often a principle that shall name a harm says `harm` instead of the category."""


def _terms_naming(rng: np.random.Generator, pool: Terms, fault: str) -> Terms:
    """Terms of a pool that name one fault, alone or among others."""
    harms = lexicon().harms
    broad = fault in harms and (fault not in pool or rng.random() < BROAD_SHARE)
    chief = "harm" if broad else fault
    others = [
        term
        for term in draw_terms(rng, pool)[1:]
        if term != chief and not (broad and term in harms) and not (term == "harm" and chief in harms)
    ]
    terms = [chief, *others]
    return tuple(terms[int(i)] for i in rng.permutation(len(terms)))


def aim(rng: np.random.Generator, pool: Terms, faults: list[str], hit_share: float) -> Terms:
    """Terms of a pool: `hit_share` name a fault that is there; most of the others miss although faults are there."""
    if faults and rng.random() < hit_share:
        return _terms_naming(rng, pool, faults[int(rng.integers(len(faults)))])
    terms = draw_terms(rng, pool)
    for _ in range(12):
        if not any(names(terms, fault) for fault in faults):
            break
        terms = draw_terms(rng, pool)
    return terms


def critique_lesson(rng: np.random.Generator, setting: Setting, mixture: Mixture = Mixture()) -> CritiqueLesson:
    """A critique and its revision. Hard negatives (faults present, but not those the principle names) are common."""
    scene = draw_scene(rng, setting)
    if rng.random() < mixture.spotless_share:
        scene = Scene(turns=scene.turns, request=scene.request, answer=tuple(good_sentences(rng, scene.request)))
    wording, critique = criticize(rng, scene, setting, mixture)
    return CritiqueLesson(scene=scene, wording=wording, critique=critique, revision=revise(rng, scene, wording.terms))


def criticize(rng: np.random.Generator, scene: Scene, setting: Setting, mixture: Mixture) -> tuple[Wording, str]:
    """A principle, and what it finds in a scene."""
    faults = sorted({fault for fault in map(sentence_fault, scene.answer) if fault})
    terms = aim(rng, setting.terms, faults, mixture.hit_share)
    return draw_wording(rng, terms, held_out=setting.held_out_wording), critique_text(scene, terms)


def _edit(rng: np.random.Generator, scene: Scene, acts: Acts) -> list[Sentence]:
    """The same answer with one fault more or one fault less."""
    sentences = list(scene.answer)
    faulty = [i for i, s in enumerate(sentences) if sentence_fault(s)]
    if faulty and len(sentences) > 1 and rng.random() < 0.5:
        del sentences[faulty[int(rng.integers(len(faulty)))]]
        return sentences
    situation = scene.request.situation
    if situation and rng.random() < 0.5:
        extra = harm_sentence(rng, pick(rng, tuple(acts)), situation, acts)
    else:
        extra = style_sentence(rng, pick(rng, ("rude", "preachy")))
    sentences.insert(int(rng.integers(len(sentences) + 1)), extra)
    return sentences


def _swap(rng: np.random.Generator, scene: Scene, acts: Acts) -> list[Sentence]:
    """The same answer with one harm in the place of another; without harm or another harm, one fault more or less."""
    sentences = list(scene.answer)
    harmful = [i for i, s in enumerate(sentences) if s.meaning.kind == "harm"]
    situation = scene.request.situation
    if not harmful or situation is None or len(acts) < 2:
        return _edit(rng, scene, acts)
    at = harmful[int(rng.integers(len(harmful)))]
    others = tuple(category for category in acts if category != sentences[at].meaning.category)
    sentences[at] = harm_sentence(rng, pick(rng, others), situation, acts)
    return sentences


def _comparison_terms(
    rng: np.random.Generator, pool: Terms, one: dict[str, int], two: dict[str, int], tie_share: float
) -> tuple[Terms, int]:
    """Terms for a comparison of answers with these faults, and how many more of theirs the first has; `tie_share` tie
    on purpose."""
    telling = [fault for fault in one if one[fault] != two[fault]]
    tie = not telling or rng.random() < tie_share
    terms: Terms = ()
    difference = 0
    for _ in range(8):
        if tie:
            terms = draw_terms(rng, pool)
        else:
            terms = _terms_naming(rng, pool, telling[int(rng.integers(len(telling)))])
        difference = targeted(one, terms) - targeted(two, terms)
        if (difference == 0) == tie:
            break
    return terms, difference


def comparison_lesson(rng: np.random.Generator, setting: Setting, mixture: Mixture = Mixture()) -> ComparisonLesson:
    """Two answers to one prompt, and principles to compare them under.

    The second answer is the first with one harm for another, the first with one fault more or less, the answer without
    fault, or another draw.
    """
    scene = draw_scene(rng, setting)
    style = rng.random()
    if mixture.swap_share and rng.random() < mixture.swap_share:
        other = _swap(rng, scene, setting.acts)
    elif style < mixture.edit_share:
        other = _edit(rng, scene, setting.acts)
    elif style < 0.65:
        other = good_sentences(rng, scene.request)
    else:
        other = draw_answer(rng, scene.request, DEMONSTRATED, setting.acts)
    first, second = scene.answer, tuple(other)
    if rng.random() < 0.5:
        first, second = second, first
    one, two = (Judgement(request=scene.request, sentences=sentences).faults() for sentences in (first, second))
    count = 1 + mixture.draw_follow_ups(rng)
    questions = tuple(_question(rng, setting, mixture, one, two) for _ in range(count))
    return ComparisonLesson(turns=scene.turns, first=first, second=second, questions=questions)


def _question(
    rng: np.random.Generator, setting: Setting, mixture: Mixture, one: dict[str, int], two: dict[str, int]
) -> tuple[Wording, bool | None]:
    """About answers with these faults, and whether the first is the better one."""
    held_out, otherwise = setting.held_out_wording, mixture.turned_share + mixture.blank_share
    kind = rng.random() if otherwise else 1.0
    if kind < mixture.blank_share:
        return without_principle(rng, held_out=held_out), None
    terms, difference = _comparison_terms(rng, setting.terms, one, two, mixture.tie_share)
    wording, better = draw_wording(rng, terms, held_out=held_out), None if difference == 0 else difference < 0
    if kind >= otherwise:
        return wording, better
    return turned_round(rng, wording, held_out=held_out), None if better is None else not better


def fault_list(sentences: tuple[Sentence, ...], terms: Terms) -> str:
    """What a reasoning judge says of one answer: the named faults in order, or that there is none."""
    nouns = [lexicon().fault_nouns[fault][0] for fault in map(sentence_fault, about(terms, sentences)) if fault]
    return " and ".join(nouns) or "no such fault"
