"""In which order the articles of a document decide between two answers."""

from __future__ import annotations

from collections.abc import Sequence

from solon.constitution.principles import Constitution, Principle
from solon.errors import ConstitutionError

HARD_CONSTRAINTS = "hard-constraints"
"""Id of the principle that comes before all articles."""
_QUESTION = """These are hard constraints of the assistant, which it never crosses, whatever it is asked for:
{constraints}

Which of these responses crosses none of them, or crosses them less?"""


def in_order(constitution: Constitution, select: Sequence[str] = ()) -> tuple[Principle, ...]:
    """The hard constraints, then the articles, highest first; those that the order leaves out come last.

    Raises ConstitutionError of a constitution without such an order, and as `Constitution.comparison_principles`.
    """
    ranks = {name: rank for rank, name in enumerate(constitution.precedence)}
    articles = constitution.comparison_principles(select)
    if not ranks:
        what = f"constitution `{constitution.name}` has no order of precedence, by which judge.decide goes"
        hint = 'give a document with a section "Order of precedence", or set judge.decide to "mean"'
        raise ConstitutionError(what, hint=hint)
    ranked = sorted(articles, key=lambda article: ranks.get(article.id, len(ranks)))
    return (*hard_constraints(constitution), *ranked)


def hard_constraints(constitution: Constitution) -> list[Principle]:
    """All of them as one principle; none where there are none."""
    if not constitution.hard_constraints:
        return []
    listed = "\n".join(f"- {one}" for one in constitution.hard_constraints)
    question = constitution.constraint_question or _QUESTION.format(constraints=listed)
    return [Principle(id=HARD_CONSTRAINTS, title="Hard constraints", comparison_question=question)]
