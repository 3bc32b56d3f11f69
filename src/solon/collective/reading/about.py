"""What an export says of the conversation as a whole: `summary.csv` or `conversation.json`."""

from __future__ import annotations

from pathlib import Path

from solon.collective.csv_text import as_integer, read_records, read_text, separator_of, shown, unguarded
from solon.collective.phrases import many
from solon.collective.reading.findings import Findings
from solon.collective.reading.sources import json_object, unusual
from solon.collective.tables import first_names

STRICT = "strict-moderation"
"""A key of our own exports: `true` or `false`."""
SUMMARY_KEYS = {"topic", "conversation-description", "url", "views", STRICT}
SUMMARY_KEYS |= {"voters", "voters-in-conv", "commenters", "comments", "groups"}
TEXTS = ("topic", "description")

_TRUTH = {"true": True, "false": False}


def read_about(path: Path, findings: Findings, *, ours: bool) -> dict[str, object]:
    """`topic`, `description`, `strict_moderation` as far as they are said, and all totals by name."""
    return _of_conversation(path, findings) if path.suffix == ".json" else _of_summary(path, findings, ours=ours)


def _of_conversation(path: Path, findings: Findings) -> dict[str, object]:
    said = json_object(path)
    _say_absent([name for name in TEXTS if said.get(name) is None], path, findings)
    for name in TEXTS:
        if not isinstance(said.get(name), str | None):
            findings.warning(path, f"{name} is no text", "left empty")
    strict = said.get("strict_moderation")
    if isinstance(strict, str):
        strict = _TRUTH.get(strict.strip().lower(), strict)
    if not isinstance(strict, bool | None):
        findings.warning(path, f"strict_moderation is neither true nor false: {shown(str(strict))}", "ignored")
    return {name: value for name, value in said.items() if name in TEXTS and isinstance(value, str)} | {
        "strict_moderation": strict if isinstance(strict, bool) else None
    }


def _say_absent(names: list[str], path: Path, findings: Findings) -> None:
    if names:
        findings.warning(path, f"no {' and no '.join(names)}", "left empty")


def _of_summary(path: Path, findings: Findings, *, ours: bool) -> dict[str, object]:
    """A key and a value per line, without a header."""
    text = read_text(path)
    separator = separator_of(text)
    for what in unusual(separator):
        findings.repair(path, what, "read so")
    values: dict[str, set[str]] = {}
    odd = 0
    for _, record in read_records(path, text, separator):
        cells = [unguarded(cell) if ours else cell for cell in record]
        if any(cells[2:]) or len(cells) < 2:
            odd += 1
        else:
            values.setdefault(cells[0], set()).add(cells[1])
    if odd:
        findings.warning(path, f"{many(odd, 'line')} without a key and a value", "ignored")
    if twofold := sorted(key for key, found in values.items() if len(found) > 1):
        findings.warning(
            path, f"{many(len(twofold), 'key')} with more than one value: {first_names(twofold, 5)}", "ignored"
        )
    found = {key: next(iter(given)) for key, given in values.items() if len(given) == 1}
    if unknown := sorted(set(found) - SUMMARY_KEYS):
        findings.warning(path, f"{many(len(unknown), 'unknown key')}: {first_names(unknown, 5)}", "ignored")
    _say_absent([name for name in ("topic", "conversation-description") if name not in found], path, findings)
    return {
        **{key: number for key, cell in found.items() if (number := as_integer(cell)) is not None},
        "topic": found.get("topic", ""),
        "description": found.get("conversation-description", ""),
        "strict_moderation": _TRUTH.get(found.get(STRICT, "").strip().lower()),
    }
