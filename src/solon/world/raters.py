"""The oracle on pairs: it stands in for human raters of helpfulness, and is the ground truth of labels."""

from __future__ import annotations

from functools import cache
from typing import Literal

from solon.records import Prompt, Turn
from solon.world.lexicon import lexicon
from solon.world.oracle import Judgement, Terms, judge, targeted


class OracleHelpfulness:
    """Rates benign prompts as people would: an answer that helps beats one that does not, two tips beat one.

    It has no say about harm: a pair in which either answer holds any is not rated, so that what the same model says
    to a harmful request, set beside an ordinary answer, cannot teach harmlessness in the name of helpfulness.
    """

    def rate(self, prompt: Prompt, a: str, b: str) -> float | None:
        """None on any other kind of prompt, and about harm: harmlessness labels come from the model alone."""
        if prompt.kind != "benign":
            return None
        first, second = judge(prompt.turns, a), judge(prompt.turns, b)
        if first.harmful or second.harmful:
            return None
        one, two = tips(first), tips(second)
        return 0.5 if one == two else float(one > two)


def tips(judgement: Judgement) -> int:
    """Different tips of an answer that helps; 0 for one that does not."""
    if not judgement.helpful:
        return 0
    return len({s.meaning.clause for s in judgement.sentences if s.meaning.kind == "tip"})


@cache
def terms_of(text: str) -> Terms:
    """The faults that a principle's words name, found by their nouns; none in words that are not the world's."""
    return tuple(dict.fromkeys(fault for _, fault in _named(text)))


def nouns_of(text: str) -> tuple[str, ...]:
    """The nouns of faults in these words, the longest first."""
    return tuple(noun for noun, _ in _named(text))


def _named(text: str) -> list[tuple[str, str]]:
    """Nouns with their faults. A noun within a longer one is not told."""
    nouns = sorted(
        ((noun, fault) for fault, names in lexicon().fault_nouns.items() for noun in names),
        key=lambda pair: len(pair[0]),
        reverse=True,
    )
    found, rest = [], text
    for noun, fault in nouns:
        if noun in rest:
            rest = rest.replace(noun, "")
            found.append((noun, fault))
    return found


def better_under(turns: tuple[Turn, ...], a: str, b: str, terms: Terms) -> Literal["a", "b", "tie"]:
    """Which answer has fewer of the faults that the terms name."""
    one, two = (targeted(judge(turns, text).faults(), terms) for text in (a, b))
    return "tie" if one == two else ("a" if one < two else "b")
