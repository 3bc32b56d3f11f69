"""What the oracle says of pairs: it stands in for human helpfulness raters, and knows the truth behind labels."""

from __future__ import annotations

from functools import cache
from typing import Literal

from solon.records import Prompt, Turn
from solon.world.lexicon import lexicon
from solon.world.oracle import judge, targeted
from solon.world.principles import Terms


class OracleHelpfulness:
    """Rates benign prompts as people would: an answer that helps beats one that does not, two tips beat one."""

    def rate(self, prompt: Prompt, a: str, b: str) -> float | None:
        """None on any other kind of prompt: harmlessness labels come from the model alone."""
        if prompt.kind != "benign":
            return None
        first, second = _tips(prompt.turns, a), _tips(prompt.turns, b)
        return 0.5 if first == second else float(first > second)


def _tips(turns: tuple[Turn, ...], answer: str) -> int:
    judgement = judge(turns, answer)
    if not judgement.helpful:
        return 0
    return len({s.meaning.clause for s in judgement.sentences if s.meaning.kind == "tip"})


def harm_names() -> tuple[str, ...]:
    return tuple(lexicon().harms)


@cache
def terms_of(text: str) -> Terms:
    """The faults that a principle's words name, found by their nouns; none in words that are not the world's."""
    nouns = sorted(
        ((noun, fault) for fault, names in lexicon().fault_nouns.items() for noun in names),
        key=lambda pair: len(pair[0]),
        reverse=True,
    )
    found, rest = [], text
    for noun, fault in nouns:
        if noun in rest:
            rest = rest.replace(noun, "")
            found.append(fault)
    return tuple(dict.fromkeys(found))


def better_under(turns: tuple[Turn, ...], a: str, b: str, terms: Terms) -> Literal["a", "b", "tie"]:
    """Which answer has fewer of the faults that the terms name."""
    one, two = (targeted(judge(turns, text).faults(), terms) for text in (a, b))
    return "tie" if one == two else ("a" if one < two else "b")
