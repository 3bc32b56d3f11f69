from __future__ import annotations

from pathlib import Path

import pytest

from evals.test_bias import label
from solon.errors import RunError, UserError
from solon.evals.agreement import agreement, read_verdicts


def test_worked_example() -> None:
    rows = [label(str(n), p) for n, p in enumerate((0.9, 0.8, 0.3, 0.4, 0.7, None))]
    found = agreement(rows, {"0": "a", "1": "b", "2": "b", "3": "b", "4": "tie", "5": "a", "x": "a"})
    assert (found.n, found.ties, found.unscored, found.unknown) == (5, 1, 1, 1)
    assert found.agreement is not None and found.agreement.rate == pytest.approx(3 / 4)
    assert found.kappa == pytest.approx(1 / 2)
    assert found.brier is not None
    assert found.brier.mean == pytest.approx((0.1**2 + 0.8**2 + 0.3**2 + 0.4**2) / 4)


def test_where_chance_alone_agrees_there_is_no_kappa() -> None:
    assert agreement([label("0", 0.9)], {"0": "a"}).kappa is None
    assert agreement([], {}).agreement is None


def test_faults_of_the_file_have_their_line(tmp_path: Path) -> None:
    path = tmp_path / "people.jsonl"
    path.write_text('{"id": "1", "better": "a"}\n{"id": "2", "better": "neither"}\n')
    with pytest.raises(RunError, match=r"people.jsonl:2: not a HumanVerdict: better"):
        read_verdicts(path)
    path.write_text('{"id": "1", "better": "a"}\n{"id": "1", "better": "b"}\n')
    with pytest.raises(UserError) as error:
        read_verdicts(path)
    assert str(error.value) == f"{path}:2: a second verdict on 1 (keep one)"
    with pytest.raises(UserError, match="there is no such file"):
        read_verdicts(tmp_path / "none.jsonl")
