"""Damage to whole files, to their bytes, and to JSON."""

from __future__ import annotations

from typing import Any

from damage.editing import Rng, any_file, edit_json, insert
from damage.exports import Files

WRONG: tuple[object, ...] = (
    None, True, False, -1, 0, 2, 1.5, 1e400, "", "x", "1", "-1", [], {}, [1], {"a": 1}, 10**30, "9" * 40, -(10**12),
)  # fmt: skip


def truncated(files: Files, rng: Rng) -> Files | None:
    name = any_file(files, rng)
    return {**files, name: files[name][: int(rng.integers(len(files[name])))]}


def cut_between_rows(files: Files, rng: Rng) -> Files | None:
    name = any_file(files, rng)
    lines = files[name].splitlines(keepends=True)
    return {**files, name: b"".join(lines[: int(rng.integers(len(lines)))])}


def wrong_encoding(files: Files, rng: Rng) -> Files | None:
    """Another encoding, for one file or all."""
    encoding = str(
        rng.choice(["utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1", "cp1252", "utf-8-sig", "shift-jis"])
    )
    chosen = list(files) if rng.random() < 0.5 else [any_file(files, rng)]
    return {
        name: data.decode("utf-8").encode(encoding, "replace") if name in chosen else data
        for name, data in files.items()
    }


def read_as_latin(files: Files, rng: Rng) -> Files | None:
    """UTF-8 that was read as Latin-1 and saved as UTF-8."""
    return {name: data.decode("latin-1").encode("utf-8") for name, data in files.items()}


def nul_bytes(files: Files, rng: Rng) -> Files | None:
    return insert(files, rng, b"\0" * int(rng.integers(1, 4)))


def broken_quotes(files: Files, rng: Rng) -> Files | None:
    return insert(files, rng, b'"')


def stray_bytes(files: Files, rng: Rng) -> Files | None:
    """A few bytes overwritten by others."""
    name = any_file(files, rng)
    data = bytearray(files[name])
    for at in rng.integers(len(data), size=int(rng.integers(1, 4))):
        data[at] = int(rng.integers(256))
    return {**files, name: bytes(data)}


def line_ends(files: Files, rng: Rng) -> Files | None:
    """Other line ends, blank lines, or none at the end."""
    end = [b"\r\n", b"\n\n", b"\r", b""][int(rng.integers(4))]
    return {name: data.rstrip(b"\n") if not end else data.replace(b"\n", end) for name, data in files.items()}


def other_delimiter(files: Files, rng: Rng) -> Files | None:
    name = any_file(files, rng)
    return {**files, name: files[name].replace(b",", [b";", b"\t", b"|", b" "][int(rng.integers(4))])}


def missing_file(files: Files, rng: Rng) -> Files | None:
    gone = any_file(files, rng)
    return {name: data for name, data in files.items() if name != gone}


def empty_file(files: Files, rng: Rng) -> Files | None:
    return {**files, any_file(files, rng): [b"", b"\n", b"\xef\xbb\xbf", b"[]", b"{}", b"null"][int(rng.integers(6))]}


def swapped_files(files: Files, rng: Rng) -> Files | None:
    """Two files under each other's name."""
    one, other = rng.choice(list(files), size=2, replace=False)
    return {**files, str(one): files[str(other)], str(other): files[str(one)]}


def json_value(files: Files, rng: Rng) -> Files | None:
    """One value in one item becomes something else."""

    def edit(items: list[Any]) -> None:
        item = items[int(rng.integers(len(items)))]
        item[str(rng.choice(list(item)))] = WRONG[int(rng.integers(len(WRONG)))]

    return edit_json(files, rng, edit)


def json_shape(files: Files, rng: Rng) -> Files | None:
    """Keys missing, items that are no objects, lists in lists, an object around it."""

    def edit(items: list[Any]) -> Any:
        at = int(rng.integers(len(items)))
        way = int(rng.integers(5))
        if way == 0:
            del items[at][str(rng.choice(list(items[at])))]
        elif way == 1:
            items[at] = WRONG[int(rng.integers(len(WRONG)))]
        elif way == 2:
            return {"data": items}
        elif way == 3:
            return [items]
        else:
            key = str(rng.choice(list(items[at])))
            for item in items:
                item.pop(key, None)
        return items

    return edit_json(files, rng, edit)


def json_items(files: Files, rng: Rng) -> Files | None:
    """Items missing, or twice, word for word or with another value."""

    def edit(items: list[Any]) -> None:
        at, way = int(rng.integers(len(items))), int(rng.integers(3))
        if way == 0:
            del items[at]
        else:
            copy = dict(items[at])
            if way == 2:
                copy[str(rng.choice(list(copy)))] = WRONG[int(rng.integers(len(WRONG)))]
            items.append(copy)

    return edit_json(files, rng, edit)
