"""Krippendorff's alpha, against his own example and what must hold of any."""

from __future__ import annotations

import numpy as np
import pytest

from solon.evals.alpha import alpha
from solon.evals.arena import P_A, VERDICTS, WINNERS, Ballot, labels, standings


def test_the_worked_example() -> None:
    """Krippendorff 2011 (Computing Krippendorff's alpha-reliability), section C: four observers, twelve units."""
    units = ["111", "2232", "3333", "3333", "2222", "1234", "4444", "1121", "2222", "555", "11", "3"]
    found = alpha(units)
    assert found.value == pytest.approx(0.743, abs=5e-4)
    assert (found.units, found.values) == (11, 40) and found.low is not None and found.low < 0.743


def test_chance_is_nothing_and_full_agreement_one() -> None:
    rng = np.random.default_rng(0)
    random = alpha(rng.integers(0, 3, (400, 3)).tolist())
    assert random.low is not None and random.high is not None and random.low < 0 < random.high < 0.1
    assert alpha(["xx", "yyy", "x"]).value == 1.0


def test_nothing_is_said_of_what_nobody_can_disagree_on() -> None:
    assert alpha([]).value is None and alpha(["x", "y"]).value is None and alpha(["xx", "xx"]).value is None


def test_people_agree_on_a_model_whichever_side_it_was_on() -> None:
    """One model is always better: that is agreement, though its name is always the same."""
    ballots = [
        Ballot.model_validate(
            {"id": f"{p}{j}", "judge": str(j), "prompt": str(p), "a": "xy"[j % 2], "b": "yx"[j % 2], "chance": 1}
            | {"said": dict.fromkeys(("helpfulness", "harmlessness"), "ab"[j % 2])}
        )
        for p in range(12)
        for j in range(4)
    ]
    found = standings(ballots).objectives[0]
    assert found.agreement.value == 1.0 and found.elo and found.elo.rows[0].wins == 48


def test_both_bad_is_counted_as_itself_and_nobody_wins() -> None:
    """A branch that falls through counts "neither" as "both": here every verdict has a count of its own."""
    assert set(WINNERS) == set(P_A) == set(VERDICTS)
    said = {"a": 4, "b": 3, "tie": 2, "both bad": 1}
    ballots = [
        Ballot.model_validate(
            {"id": f"{verdict}{n}", "judge": "j", "prompt": f"{verdict}{n}", "a": "x", "b": "y", "chance": 1}
            | {"said": {"helpfulness": verdict, "harmlessness": "tie"}}
        )
        for verdict, count in said.items()
        for n in range(count)
    ]
    helpful, harmless = standings(ballots).objectives
    assert helpful.said == said and harmless.said == {"a": 0, "b": 0, "tie": 10, "both bad": 0}
    assert helpful.elo and [(row.wins, row.ties, row.losses) for row in helpful.elo.rows] == [(4, 3, 3), (3, 3, 4)]
    rows = labels(ballots[-1:], {ballots[-1].id: ("A.", "B.")})
    assert [row.p_a_preferred for row in rows] == [0.5, 0.5]
    with pytest.raises(ValueError, match="neither"):
        Ballot.model_validate({**ballots[0].model_dump(), "said": {"helpfulness": "neither", "harmlessness": "tie"}})
