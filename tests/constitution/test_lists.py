# ruff: noqa: E501 -- a message stands on one line here, as it is printed
from __future__ import annotations

from pathlib import Path

import pytest

from constitution_files import told
from solon.constitution.load import load_constitution, read_constitution

GOOD = """\
[[principle]]
id = "kind"
comparison_question = "Which one is kinder?"
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_what_is_left_out_has_a_default(tmp_path: Path) -> None:
    constitution = load_constitution(write(tmp_path, GOOD))
    assert (constitution.name, constitution.title, constitution.description) == ("mine", "mine", "")
    assert constitution.kind == "list"
    [principle] = constitution.principles
    assert (principle.title, principle.weight, principle.tags, principle.source) == ("kind", 1.0, (), "mine.toml")


def test_everything_that_is_given_is_kept(tmp_path: Path) -> None:
    text = """\
name = "n"
title = "T"
description = "D"
[[principle]]
id = "a"
title = "A"
critique_request = \"\"\"
Say what is unkind,
if anything.
\"\"\"
revision_request = 'Make it kind.'
weight = 2
tags = ["x", "y"]
source = "S"
"""
    path = write(tmp_path, "\ufeff" + text.replace("\n", "\r\n"))  # as an editor on Windows would
    constitution = load_constitution(path)
    assert (constitution.name, constitution.title, constitution.description) == ("n", "T", "D")
    [principle] = constitution.principles
    assert principle.model_dump() == {
        "id": "a",
        "title": "A",
        "critique_request": "Say what is unkind,\nif anything.",
        "revision_request": "Make it kind.",
        "comparison_question": None,
        "weight": 2.0,
        "tags": ("x", "y"),
        "source": "S",
    }
    assert read_constitution(path).where("a", "weight").line == 12
    assert read_constitution(path).where("a", "comparison_question").line == 5


SHAPE = "write one [[principle]] table per principle, with an id and a critique pair, a comparison question, or both"
ADD_TEXTS = "add critique_request and revision_request (both), or comparison_question, or all three"
LOOK = "look at this line and the one before it: a missing quote, bracket, comma or `=`, or a key given twice"
KEYS = (
    "known keys are `id`, `title`, `critique_request`, `revision_request`, `comparison_question`, "
    "`weight`, `tags`, `source`"
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", f"mine.toml: has no principles ({SHAPE})"),
        ("principle = []", f"mine.toml: has no principles ({SHAPE})"),
        ("\n[principle]\nid = 'a'", "mine.toml:2: [principle] is a single table (write [[principle]], with two brackets)"),
        ("principle = 'be kind'", f"mine.toml:1: `principle` holds text ({SHAPE})"),
        ("principle = [{id = 'a', comparison_question = 'b?'}, 3]", f"mine.toml:1: `principle` holds a number ({SHAPE})"),
        ("nme = 'x'\n" + GOOD, "mine.toml:1: unknown key `nme` (did you mean `name`?)"),
        ("[principles]\n" + GOOD, "mine.toml:1: unknown key `principles` (did you mean `principle`?)"),
        ("title = 3\n" + GOOD, "mine.toml:1: `title` must be text, not a number"),
        ("name = ''\n" + GOOD, "mine.toml:1: `name` is empty; write the text or leave the key out"),
        (GOOD + "weight = 0", "mine.toml:4: principle `kind`: `weight` must be a finite number greater than 0, not 0"),
        (GOOD + "weight = -1.5", "mine.toml:4: principle `kind`: `weight` must be a finite number greater than 0, not -1.5"),
        (GOOD + "weight = nan", "mine.toml:4: principle `kind`: `weight` must be a finite number greater than 0, not nan"),
        (GOOD + "weight = '1'", "mine.toml:4: principle `kind`: `weight` must be a number, not text"),
        (GOOD + "weight = true", "mine.toml:4: principle `kind`: `weight` must be a number, not true or false"),
        (GOOD + "\ntags = 'law'", "mine.toml:5: principle `kind`: `tags` must be a list, not text"),
        (GOOD + "tags = ['a',\n 1]", "mine.toml:4: principle `kind`: `tags.1` must be text, not a number"),
        (GOOD + "colour = 1", f"mine.toml:4: principle `kind`: unknown key `colour` ({KEYS})"),
        (GOOD + "\n" + GOOD, "mine.toml:6: the id `kind` is used twice (the first stands on line 2; give each principle an id of its own)"),
        (
            "principle = [{id = 'a', comparison_question = 'b?'}, {id = 'a', comparison_question = 'c?'}]",
            "mine.toml:1: the id `a` is used twice (the first stands on line 1; give each principle an id of its own)",
        ),
        (
            "[[principle]]\nid = 'a'\ncomparison_question = '''\n'''",
            "mine.toml:3: principle `a`: `comparison_question` is empty; write the text or leave the key out",
        ),
        (
            "[[principle]]\nid = 'whole'\ncomparison_question = 'Which?'",
            "mine.toml:2: the id `whole` stands for the constitution as a whole (give the principle another)",
        ),
        ("[[principle]]\ncomparison_question = 'Which?'", "mine.toml:1: principle 1: `id` is missing"),
        (
            "[[principle]]\nid = 'a'\n\nrevision_request = 'Mend it.'",
            f"mine.toml:4: principle `a` has half a pair: `critique_request` is missing ({ADD_TEXTS})",
        ),
        (
            "[[principle]]\nid = 'a'",
            f"mine.toml:1: principle `a` has no texts: neither a critique pair nor a comparison question ({ADD_TEXTS})",
        ),
        ("a = 1\nb = ", f"mine.toml:2: is not TOML: invalid value ({LOOK})"),
        ("a = 1\na = 2", f"mine.toml:2: is not TOML: cannot overwrite a value ({LOOK})"),
        ('a = """x\n\n', f"mine.toml:3: is not TOML: unterminated string ({LOOK})"),
    ],
)  # fmt: skip
def test_each_fault_is_told_with_its_line(tmp_path: Path, text: str, expected: str) -> None:
    assert told(lambda: load_constitution(write(tmp_path, text)), tmp_path) == [expected]


def test_all_faults_are_told_at_once_in_the_order_of_their_lines(tmp_path: Path) -> None:
    text = """\
ttle = "x"

[[principle]]
id = "a b"
critique_request = "\\n\\nCritiqueRequest: What?\\n\\nCritique:"

[[principle]]
comparision_question = "Which?"
weight = "heavy"
"""
    assert told(lambda: load_constitution(write(tmp_path, text)), tmp_path) == [
        "mine.toml:1: unknown key `ttle` (did you mean `title`?)",
        "mine.toml:4: principle `a b`: `id` must be one word of letters, digits, `.`, `_` and `-`, not 'a b'",
        f"mine.toml:5: principle `a b` has half a pair: `revision_request` is missing ({ADD_TEXTS})",
        "mine.toml:5: principle `a b`: `critique_request` has a line that begins with `CritiqueRequest:`, which starts a "
        "turn of the dialogue; write the bare sentence, the delimiters are added later",
        "mine.toml:7: principle 2 has no texts: neither a critique pair nor a comparison question (is "
        "`comparision_question` meant to be one of `critique_request`, `revision_request`, `comparison_question`?)",
        "mine.toml:7: principle 2: `id` is missing",
        "mine.toml:8: principle 2: unknown key `comparision_question` (did you mean `comparison_question`?)",
        "mine.toml:9: principle 2: `weight` must be a number, not text",
    ]


def test_a_wrong_encoding_is_told_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_bytes(b"# one\n# two\ntitle = '\xe9tat'\n")
    expected = "mine.toml:3: is not UTF-8 text: byte 0xe9 cannot be read (save the file as UTF-8)"
    assert told(lambda: load_constitution(path), tmp_path) == [expected]


def test_deep_nesting_is_a_fault_and_not_a_crash(tmp_path: Path) -> None:
    [fault] = told(lambda: load_constitution(write(tmp_path, "a = " + "[" * 100_000)), tmp_path)
    assert fault.startswith("mine.toml")
