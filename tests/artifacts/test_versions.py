"""What a manifest names as the code that made a stage."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import solon
from solon.artifacts.manifest import source_hash, versions


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the package, to be edited."""
    copy = tmp_path_factory.mktemp("source") / "solon"
    leave = shutil.ignore_patterns("__pycache__", "*.safetensors")
    return Path(shutil.copytree(Path(solon.__file__).parent, copy, ignore=leave))


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("world/lexicon.toml", True),
        ("world/oracle.py", True),
        ("prompting/templates/comparison.txt", True),
        ("constitution/library/charter.md", True),
        ("report/templates/report.css", False),
        ("embedded/model/config.json", False),
        ("embedded/model-small/config.json", False),
        ("embedded/recipe.py", True),
    ],
)
def test_one_byte_of_what_a_stage_can_read_is_another_source(package: Path, name: str, counts: bool) -> None:
    before, path = source_hash(package), package / name
    kept = path.read_bytes() if path.exists() else None
    path.parent.mkdir(exist_ok=True)
    path.write_bytes((kept or b"") + b"\n")
    assert (source_hash(package) != before) == counts
    path.unlink() if kept is None else path.write_bytes(kept)
    assert source_hash(package) == before


def test_what_renders_templates_and_reads_prompts_is_named_once_it_took_part() -> None:
    pytest.importorskip("pyarrow")
    import jinja2

    assert versions()["jinja2"] == jinja2.__version__
    assert "pyarrow" in versions()
