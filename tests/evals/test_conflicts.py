from __future__ import annotations

import pytest

from evals.test_bias import label, verdict
from solon.evals.conflicts import by_principle, principles
from solon.evals.labels import label_quality
from solon.records import Comparison


def judged(name: str, **said: float | None) -> Comparison:
    return label(name, 0.5, verdicts=tuple(verdict("a", p, principle) for principle, p in said.items()))


def test_worked_example() -> None:
    found = principles([judged("1", p=0.9, q=0.2), judged("2", p=0.8, q=0.7)])
    assert found is not None and found.pairs == 2
    (one,) = found.conflicts
    assert (one.first, one.second, one.n, one.decided) == ("p", "q", 2, 2)
    assert one.distance == pytest.approx(0.4) and one.conflicts is not None and one.conflicts.rate == 0.5
    assert {name: rate and rate.rate for name, rate in found.agreement.items()} == {"p": 0.5, "q": 0.5}


def test_who_has_no_opinion_conflicts_with_nobody() -> None:
    found = principles([judged("1", p=0.9, q=0.55, r=0.1)])
    assert found is not None
    by_names = {(one.first, one.second): one for one in found.conflicts}
    assert by_names["p", "q"].conflicts is None and by_names["p", "q"].decided == 0
    assert by_names["p", "r"].conflicts is not None and by_names["p", "r"].conflicts.rate == 1.0
    assert (found.conflicts[0].first, found.conflicts[0].second) == ("p", "r"), "those that conflict come first"
    assert found.agreement["q"] is None


def test_a_principle_that_was_not_read_in_both_orders_says_nothing() -> None:
    row = label(
        "1", 0.5, verdicts=(verdict("a", 0.9), verdict("b", None), verdict("a", 0.8, "q"), verdict("b", 0.6, "q"))
    )
    assert by_principle(row) == {"q": pytest.approx(0.7)}


def test_labels_by_one_principle_have_no_conflicts() -> None:
    rows = [label("1", 0.9), label("2", 0.7, verdicts=(verdict("a", 0.8), verdict("b", 0.6)))]
    assert principles(rows) is None
    assert "conflicts" not in label_quality(rows, None).model_dump()
