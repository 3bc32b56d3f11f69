"""Facts: what the words of the world mean.

They use every word of the world, held-out acts and nouns too, but for the held-out templates of principles. A noun that
no demonstration contains is learned from them alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from solon.embedded.answers import all_acts, as_text, harm_sentence, help_sentences, style_sentence
from solon.embedded.lessons import aim, fault_list, sentence_fault
from solon.embedded.wordings import draw_template, draw_terms, list_terms
from solon.world.lexicon import HELD_OUT_NOUNS, lexicon
from solon.world.oracle import Terms
from solon.world.prompts import draw_situation, pick
from solon.world.sentences import Sentence

HELD_OUT_SHARE = 0.3
"""Of nouns in facts: so many are on purpose one that demonstrations lack."""
NAMING_SHARE = 0.65
"""Of questions which nouns fit: those that name a fault that is there."""


@dataclass(frozen=True, kw_only=True)
class Fact:
    """A sentence in two parts."""

    given: str
    told: str
    """What is to be learned."""


def fact(rng: np.random.Generator) -> Fact:
    """Which acts are which harm, which nouns name the same fault, what the styles sound like, what a principle says."""
    return KINDS[int(rng.choice(len(KINDS), p=SHARES))](rng)


def _every_term() -> Terms:
    return ("harm", *lexicon().faults, "unrelated")


def _noun(rng: np.random.Generator, fault: str) -> str:
    nouns = lexicon().fault_nouns[fault]
    return pick(rng, nouns[-HELD_OUT_NOUNS:] if rng.random() < HELD_OUT_SHARE else nouns)


def _act(rng: np.random.Generator) -> Fact:
    harm = lexicon().harms[pick(rng, tuple(lexicon().harms))]
    act = draw_situation(rng, "all").fill(pick(rng, (*harm.acts, *harm.requests)))
    return Fact(given=f"To {act} is", told=f"{_noun(rng, harm.name)}.")


def _advice(rng: np.random.Generator) -> Fact:
    situation = draw_situation(rng, "all")
    sentence = harm_sentence(rng, pick(rng, tuple(lexicon().harms)), situation, all_acts())
    return Fact(given=f'"{sentence.text}" means to', told=f"{situation.fill(sentence.meaning.clause or '')}.")


def _saying(rng: np.random.Generator) -> Fact:
    style = pick(rng, lexicon().styles)
    return Fact(given=f'To say "{style_sentence(rng, style).text}" is', told=f"{_noun(rng, style)}.")


def _synonym(rng: np.random.Generator) -> Fact:
    fault = pick(rng, ("harm", *lexicon().faults))
    return Fact(given=f"{_noun(rng, fault)} is the same as", told=f"{_noun(rng, fault)}.")


def _broader(rng: np.random.Generator) -> Fact:
    return Fact(given=f"{_noun(rng, pick(rng, tuple(lexicon().harms)))} is a kind of", told=f"{_noun(rng, 'harm')}.")


def _choice(rng: np.random.Generator) -> Fact:
    """Which of several nouns fit what is said."""
    said = _sayings(rng)
    faults = sorted({fault for fault in map(sentence_fault, said) if fault})
    terms = aim(rng, _every_term(), faults, NAMING_SHARE)
    asked = list_terms([_noun(rng, term) for term in terms])
    quoted = f'"{as_text(said)}"'
    given = f"{quoted} Is that {asked}?" if rng.random() < 0.5 else f"Is it {asked} to say {quoted}?"
    return Fact(given=given, told=f"{fault_list(said, terms)}.")


def _sayings(rng: np.random.Generator) -> tuple[Sentence, ...]:
    """One to three sentences about one situation; most are faults."""
    situation, lex = draw_situation(rng, "all"), lexicon()

    def say_one() -> Sentence:
        kind = rng.random()
        if kind < 0.6:
            return harm_sentence(rng, pick(rng, tuple(lex.harms)), situation, all_acts())
        if kind < 0.9:
            return style_sentence(rng, pick(rng, lex.styles))
        return help_sentences(rng, pick(rng, tuple(lex.tasks)), 1)[0]

    return tuple(say_one() for _ in range(1 + int(rng.choice(3, p=[0.4, 0.35, 0.25]))))


def _paraphrase(rng: np.random.Generator) -> Fact:
    """What a principle is about, by the first noun of every fault, and the same in other words."""
    terms, use = draw_terms(rng, _every_term()), pick(rng, tuple(lexicon().principle))
    nouns = [_noun(rng, term) for term in terms]

    def renamed(name: Callable[[str], str]) -> str:
        """Nouns of `unrelated` do not mean the same."""
        named = zip(terms, nouns, strict=True)
        return list_terms([noun if term == "unrelated" else name(term) for term, noun in named])

    principle, other = (draw_template(rng, use) for _ in range(2))
    first, again = renamed(lambda term: lexicon().fault_nouns[term][0]), renamed(lambda term: _noun(rng, term))
    given = f'"{principle.replace("{terms}", list_terms(nouns))}" is about'
    return Fact(given=given, told=f"{first}. In other words: {other.replace('{terms}', again)}")


KINDS: tuple[Callable[[np.random.Generator], Fact], ...] = (
    *(_act, _advice, _saying, _synonym, _broader),
    *(_choice, _paraphrase),
)
SHARES = (0.14, 0.08, 0.05, 0.07, 0.03, 0.43, 0.20)
"""Of every kind."""
