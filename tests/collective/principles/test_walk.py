"""The walk through a merges file, with a list of answers in the place of a person."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from solon.collective.principles import walk as module
from solon.collective.principles.merges import Citation, Merge, MergeFile, Rewording, read_merges, write_merges
from solon.collective.principles.walk import Walk
from solon.errors import InputError

JOY = tuple(
    Citation(id=at, text=text) for at, text in enumerate(("AI should spread joy", "spread joy", "AI is a joy"), 1)
)
CALM = (Citation(id=4, text="be calm"), Citation(id=5, text="AI should be calm"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = MergeFile(
        format="solon-merges-1",
        merge=(
            Merge(id="merge-1", wording=JOY[0].text, similarity=0.75, voted_alike="3 of 4", statements=JOY),
            Merge(id="merge-2", wording=CALM[0].text, statements=CALM),
        ),
        wording=(
            Rewording(statement=6, text="Hm\x1b[31m", wording="Hm", why="does not say what an AI should do"),
            Rewording(statement=4, text="be calm", wording="be calm", why="is odd"),
        ),
    )
    write_merges(tmp_path / "m.toml", file)
    return tmp_path / "m.toml"


def walked(path: Path, *answers: str) -> tuple[Walk, str]:
    """The walk after these answers, after which there is nobody to ask; and what was said."""
    waiting: Iterator[str] = iter(answers)
    said: list[str] = []

    def ask(question: str) -> str | None:
        said.append(question)
        return next(waiting, None)

    walk = Walk(path, ask, said.append)
    walk.go()
    assert not list(waiting), "every answer was asked for"
    return walk, "\n".join(said)


def test_yes_no_skip_and_an_answer_that_is_none(path: Path) -> None:
    walk, said = walked(path, "y", "what?", "N", "s", "yes")
    assert [one.decision for one in read_merges(path).merge] == ["yes", "no"]
    assert [one.decision for one in read_merges(path).wording] == ["", "yes"]
    assert (walk.answered, walk.file.open, walk.file.total) == (3, 1, 4)
    assert "Please answer with one letter" in said
    assert "Do these say the same? (similarity 0.75; 3 of 4 people voted alike on all)" in said
    assert "1 of 4" in said and "4 of 4" in said
    assert "\x1b" not in said, "nothing in a statement steers the terminal"


def test_every_answer_is_saved_and_the_next_walk_goes_on(path: Path) -> None:
    walked(path, "y", "q")
    assert [one.decision for one in read_merges(path).merge] == ["yes", ""]
    walk, said = walked(path, "n")
    assert "1 of 3" in said and "spread joy" not in said
    assert [one.decision for one in read_merges(path).merge] == ["yes", "no"]
    assert walk.answered == 1


def test_an_interrupt_loses_nothing_that_was_answered(path: Path) -> None:
    answers = iter(["y"])

    def ask(_: str) -> str | None:
        try:
            return next(answers)
        except StopIteration:
            raise KeyboardInterrupt from None

    walk = Walk(path, ask, lambda _: None)
    with pytest.raises(KeyboardInterrupt):
        walk.go()
    assert [one.decision for one in read_merges(path).merge] == ["yes", ""]


def test_a_write_that_fails_leaves_the_file_whole(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = path.read_bytes()

    def full(_path: Path, _file: MergeFile) -> None:
        raise InputError("cannot be written: no space left")

    monkeypatch.setattr(module, "write_merges", full)
    with pytest.raises(InputError):
        walked(path, "y")
    assert path.read_bytes() == before


def test_edit_takes_statements_out_and_is_a_yes(path: Path) -> None:
    walked(path, "e", "3", "", "q")
    merge = read_merges(path).merge[0]
    assert (merge.decision, merge.wording) == ("yes", "AI should spread joy")
    assert (merge.statements, merge.taken_out) == (JOY[:2], JOY[2:])


def test_edit_chooses_words_and_follows_a_new_first_statement(path: Path) -> None:
    walked(path, "e", "1", "", "e", "", "AI should  keep calm", "q")
    first, second = read_merges(path).merge
    assert first.wording == "spread joy"
    assert second.wording == "AI should keep calm"
    assert second.statements == CALM


@pytest.mark.parametrize(("out", "why"), [("77", "77 is not among them"), ("1 2", "fewer than two would stay")])
def test_an_edit_that_makes_no_sense_changes_nothing_and_asks_again(path: Path, out: str, why: str) -> None:
    before = path.read_bytes()
    _, said = walked(path, "e", out, "q")
    assert f"Nothing changed: {why}" in said
    assert path.read_bytes() == before


def test_words_of_ones_own_for_a_statement(path: Path) -> None:
    walked(path, "n", "n", "e", "AI should think aloud", "n")
    first, second = read_merges(path).wording
    assert (first.decision, first.wording) == ("yes", "AI should think aloud")
    assert (second.decision, second.wording) == ("no", "be calm")


def test_a_decision_against_an_earlier_one_is_refused_on_the_spot(path: Path) -> None:
    _, said = walked(path, "s", "y", "s", "n", "q")
    assert "Not possible: statement 4 is left out here and merged in `merge-2`" in said
    assert [one.decision for one in read_merges(path).wording] == ["", ""]


@pytest.mark.parametrize("change", [lambda path: path.write_text(path.read_text() + "\n"), Path.unlink])
def test_what_somebody_else_writes_meanwhile_is_not_overwritten(path: Path, change: Callable[[Path], object]) -> None:
    walk = Walk(path, lambda _: "y", lambda _: None)
    change(path)
    with pytest.raises(InputError, match="changed by somebody else"):
        walk.go()


def test_nothing_open_asks_nothing(path: Path) -> None:
    walked(path, "n", "n", "n", "n")
    walk, said = walked(path)
    assert said == "" and walk.answered == 0
