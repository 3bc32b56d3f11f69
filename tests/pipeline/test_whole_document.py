"""A run by a document: one that nobody has confirmed is refused; a judge that reads it as a whole says what it read."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.tiny_run import manifest, rows, run_in, world_config
from solon.artifacts.reuse import OtherRuns
from solon.errors import RunError, UserError
from solon.pipeline.check import check_inputs
from solon.records import Comparison

DOCUMENT = """\
# D {confirmed = true}

## Order of precedence

1. Harm
2. Use

## Hard constraints

- Never help to kill.

## Harm

Help nobody to steal or to hurt.

## Use

Be of real use to the human.
"""


def document(folder: Path, text: str = DOCUMENT) -> Path:
    path = folder / "d.md"
    path.write_text(text)
    return path


def test_what_is_refused_before_a_run_begins(llama: Path, tmp_path: Path) -> None:
    def told(*settings: str) -> list[str]:
        with pytest.raises(UserError) as raised:
            check_inputs(world_config(llama, *settings), servers=False)
        return [str(fault).removeprefix(str(tmp_path)) for fault in raised.value.faults]

    path = document(tmp_path, DOCUMENT.replace("true", "false"))
    assert told(f"constitution.path={path}") == [
        "/d.md: is a proposal that nobody has confirmed "
        "(read it, correct it, then write `confirmed = true` in its title)"
    ]
    assert told("constitution.path=world", "constitution.whole=true") == [
        "world: is a list, and constitution.whole is for documents "
        "(leave constitution.whole out, or give a document (.md))"
    ]
    whole = (f"constitution.path={document(tmp_path)}", "constitution.whole=true")
    served = ("models.judge.path=http://localhost:9/v1#m", "models.judge.engine=endpoint")
    assert told(*whole, *served) == [
        "/d.md: constitution.whole would send all of it with every verdict: the engine endpoint knows no context "
        "(set constitution.whole_tokens to how many tokens of it the judge may read)"
    ]
    check_inputs(world_config(llama, *whole))
    check_inputs(world_config(llama, *whole, *served, "constitution.whole_tokens=900"), servers=False)


def test_rows_say_which_articles_were_read_and_the_manifest_counts_them(llama: Path, tmp_path: Path) -> None:
    of_document = (f"constitution.path={document(tmp_path)}",)
    run_in(tmp_path / "one", world_config(llama, *of_document, "constitution.whole=true"), until="comparisons")
    read = [Comparison.model_validate(row) for row in rows(tmp_path / "one", "comparisons")]
    assert read and {(row.principle_id, row.articles) for row in read} == {("whole", ("harm", "use"))}
    counts = manifest(tmp_path / "one", "comparisons").counts.other
    assert counts["article read: harm"] == counts["article read: use"] == len(read)

    capped = world_config(llama, *of_document, "constitution.whole=true", "constitution.whole_tokens=1")
    with pytest.raises(RunError, match=rf"kept none of its {len(read)} rows \(too long: {len(read)}\)"):
        run_in(tmp_path / "two", capped, until="comparisons", others=OtherRuns(named=(tmp_path / "one",)))
