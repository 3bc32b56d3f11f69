"""`python bench`: which scripts it runs."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from measuring.script import ROOT

SPEC = importlib.util.spec_from_file_location("bench_main", ROOT / "bench/__main__.py")
assert SPEC and SPEC.loader
bench = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(bench)


def folders(paths: list[Path]) -> set[str]:
    return {path.parent.name for path in paths}


def test_trials_have_no_toy_size() -> None:
    assert folders(bench.scripts([], quick=True)) == {"claims"}
    assert folders(bench.scripts([], quick=False)) == {"claims", "bench"}
    assert not [path for path in bench.scripts([], quick=False) if path.name.startswith("__")]


def test_scripts_are_chosen_by_name() -> None:
    chosen = bench.scripts(["verdicts", "gpu"], quick=False)
    assert [path.relative_to(ROOT / "bench").as_posix() for path in chosen] == ["claims/verdicts.py", "gpu.py"]
    with pytest.raises(SystemExit, match="no such script: nothing"):
        bench.scripts(["nothing", "gpu"], quick=False)
