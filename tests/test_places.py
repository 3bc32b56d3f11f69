from __future__ import annotations

import json
import tomllib
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from solon.places import KeyPath, json_places, toml_places

TOML = '''\
title = "x" # [[principle]]
"quoted key" = 1

# [[principle]]
[[principle]]
id = "a"
text = """
[[principle]]
id = "inside a string"
quotes: ""\\" and "" and [
""\"""
after = """ends with a quote""""
literal = \'\'\'
key = "[["
\'\'\'
list = [ # ]
  "]", \'[\',
  [1, 2],
]
'bare' = { a = 1, b = "}" }

[[ principle ]]
  id = 'b'
  [principle.more]
  deep.er = 2026-01-01

[[principle]]
[other]
id = "c"
'''


def test_toml_lines_despite_strings_comments_and_brackets() -> None:
    tomllib.loads(TOML)  # the scanner may rely on this
    assert toml_places(TOML).lines == {
        ("title",): 1,
        ("quoted key",): 2,
        ("principle", 0): 5,
        ("principle", 0, "id"): 6,
        ("principle", 0, "text"): 7,
        ("principle", 0, "after"): 12,
        ("principle", 0, "literal"): 13,
        ("principle", 0, "list"): 16,
        ("principle", 0, "bare"): 20,
        ("principle", 1): 22,
        ("principle", 1, "id"): 23,
        ("principle", 1, "more"): 24,
        ("principle", 1, "more", "deep", "er"): 25,
        ("principle", 2): 27,
        ("other",): 28,
        ("other", "id"): 29,
    }


def test_the_line_of_what_is_not_there_is_that_of_what_is_around_it() -> None:
    places = toml_places(TOML)
    assert places.line(("principle", 1, "weight")) == 22
    assert places.line(("principle", 0, "list", 2)) == 16
    assert places.line(("absent",)) == 1


def test_json_lines_and_repeated_keys() -> None:
    places = json_places('{"a": [1,\n {"b": "x\\"[,{:", "c": []},\n [2, {}]], "d":\n null,\n "a": 5}')
    assert places.lines == {
        (): 1,
        ("a",): 1,
        ("a", 0): 1,
        ("a", 1): 2,
        ("a", 1, "b"): 2,
        ("a", 1, "c"): 2,
        ("a", 2): 3,
        ("a", 2, 0): 3,
        ("a", 2, 1): 3,
        ("d",): 4,
    }
    assert places.repeated == {("a",): 5}


def paths(value: Any, path: KeyPath = ()) -> set[KeyPath]:
    """Every path of a JSON value, by recursion: the reference for the scanner."""
    inside = enumerate(value) if isinstance(value, list) else value.items() if isinstance(value, dict) else ()
    return {path}.union(*(paths(item, (*path, key)) for key, item in inside))


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(VALUES, st.sampled_from([None, 0, 3]))
def test_every_json_value_is_found_where_it_stands(value: Any, indent: int | None) -> None:
    text = json.dumps(value, indent=indent)
    places = json_places(text)
    assert places.lines.keys() == paths(value)
    assert not places.repeated
    if indent is not None:  # one value or closing bracket per line, so the lines of values rise
        lines = [places.lines[path] for path in places.lines]
        assert lines == sorted(lines)
        assert len(set(lines)) == len(lines)


@given(st.lists(st.dictionaries(st.text(min_size=1, max_size=4), st.text(max_size=8), max_size=3), max_size=3))
def test_toml_keys_of_any_spelling_are_found(tables: list[dict[str, str]]) -> None:
    lines, expected = [], {}
    for index, table in enumerate(tables):
        lines.append("[[principle]]")
        expected[("principle", index)] = len(lines)
        for key, value in table.items():
            lines.append(f"{json.dumps(key)} = {json.dumps(value)}")
            expected[("principle", index, key)] = len(lines)
    assert toml_places("\n".join(lines)).lines == expected
