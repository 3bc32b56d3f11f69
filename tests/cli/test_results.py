from __future__ import annotations

import pytest

from solon.cli.results import LEAST, print_table

NUMBER = "99.7% (97.1 to 100.0)"


def test_a_table_that_nobody_watches_is_as_wide_as_its_numbers(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """And long texts are folded, not squeezed to nothing."""
    monkeypatch.setenv("COLUMNS", "80")
    print_table(
        "t", ["constitution"], ["a", "b", "c", "d"], [["inverted", *[NUMBER] * 4], ["in words " * 20, *["-"] * 4]]
    )
    printed = capsys.readouterr().out
    assert "inverted" in printed and printed.count(NUMBER) == 4 and "…" not in printed
    assert max(map(len, printed.splitlines())) == LEAST + 4 * len(NUMBER) + 3 * 5 + 1  # borders and spaces
    print_table("t", ["constitution"], [], [])
    assert max(map(len, capsys.readouterr().out.splitlines())) < 80
