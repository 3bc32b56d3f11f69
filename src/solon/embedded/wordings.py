"""Principles of the world: a list of fault terms put into words, so that users can recombine them freely."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from solon.constitution.controls import BLANK, INVERTED
from solon.world.lexicon import HELD_OUT_NOUNS, HELD_OUT_TEMPLATES, lexicon
from solon.world.oracle import Terms
from solon.world.prompts import pick

CONTROLS = {"against": (INVERTED,), "nothing": (BLANK,)}


@dataclass(frozen=True, kw_only=True)
class Wording:
    """One principle in words, for each use."""

    terms: Terms
    critique: str
    revision: str
    comparison: str


def list_terms(nouns: Sequence[str]) -> str:
    """`a`, `a or b`, `a, b or c`."""
    return nouns[0] if len(nouns) == 1 else f"{', '.join(nouns[:-1])} or {nouns[-1]}"


def draw_terms(rng: np.random.Generator, pool: Terms) -> Terms:
    """One to four different terms of a pool; `harm` takes the place of single harms."""
    count = 1 + int(rng.choice(4, p=[0.5, 0.25, 0.15, 0.1]))
    chosen = [pool[int(i)] for i in rng.permutation(len(pool))[:count]]
    if "harm" in chosen:
        chosen = [term for term in chosen if term not in lexicon().harms]
    return tuple(chosen)


def draw_wording(rng: np.random.Generator, terms: Terms, *, held_out: bool = False) -> Wording:
    """Words for a principle. `held_out`: templates and nouns that no demonstration contains, instead of the others."""

    def words(use: str) -> str:
        return _with_terms(rng, draw_template(rng, use, held_out=held_out), terms, held_out)

    return Wording(terms=terms, critique=words("critique"), revision=words("revision"), comparison=words("comparison"))


def turned_round(rng: np.random.Generator, wording: Wording, *, held_out: bool = False) -> Wording:
    """The comparison with words around it that ask for the opposite."""
    frame = pick(rng, _judging("against", held_out))
    return replace(wording, comparison=frame.replace("{question}", wording.comparison))


def without_principle(rng: np.random.Generator, *, held_out: bool = False) -> Wording:
    """A comparison that names nothing."""
    return Wording(terms=(), critique="", revision="", comparison=pick(rng, _judging("nothing", held_out)))


def _judging(kind: str, held_out: bool) -> tuple[str, ...]:
    """Of one kind. What a control of the judge asks is known, as a large model would know it."""
    known = _share(lexicon().judging[kind], HELD_OUT_TEMPLATES, held_out)
    return known if held_out else (*known, *CONTROLS.get(kind, ()))


def _with_terms(rng: np.random.Generator, template: str, terms: Terms, held_out: bool) -> str:
    nouns = [pick(rng, _share(lexicon().fault_nouns[term], HELD_OUT_NOUNS, held_out)) for term in terms]
    return template.replace("{terms}", list_terms(nouns))


def draw_template(rng: np.random.Generator, use: str, *, held_out: bool = False) -> str:
    """A principle's words for one use, with the slot {terms}."""
    return pick(rng, _share(lexicon().principle[use], HELD_OUT_TEMPLATES, held_out))


def known_templates(use: str) -> tuple[str, ...]:
    """Those that demonstrations contain, with the slot {terms}."""
    return _share(lexicon().principle[use], HELD_OUT_TEMPLATES, held_out=False)


def _share(items: tuple[str, ...], last: int, held_out: bool) -> tuple[str, ...]:
    return items[-last:] if held_out else items[:-last]
