"""A cleaned conversation as a folder: what `solon collect import` writes, with removals and their effect beside it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from solon.collective.cleaning.removing import Change, Cleaned, Removal
from solon.collective.output import replacing
from solon.collective.phrases import many
from solon.collective.reading.findings import Finding, Imported
from solon.collective.reading.folder import CARD, write_imported
from solon.collective.tables import write_csv
from solon.records import Record

REMOVALS, SENSITIVITY = "removals.csv", "sensitivity.csv"


def write_cleaned(
    imported: Imported, cleaned: Cleaned, changes: Sequence[Change] | None, out: Path, *, force: bool = False
) -> None:
    """Write the folder, `removals.csv` and, if measured, `sensitivity.csv`, all together or nothing.

    The findings gain a note for each rule.

    Raises:
        InputError: as `write_imported`.
    """
    counts = Counter((one.rule, one.kind) for one in cleaned.removals)
    said = [(rule, f"cleaning removed {many(n, kind)}", f"each is in {REMOVALS}") for (rule, kind), n in counts.items()]
    said += [(rule, f"cleaning rule not applied: {why}", "") for rule, why in cleaned.not_applied.items()]
    notes = [Finding(severity="note", where=rule, what=what, repair=repair) for rule, what, repair in said]
    whole = replace(imported, conversation=cleaned.conversation, findings=(*imported.findings, *notes))
    with replacing(out, marker=CARD, force=force) as folder:
        write_imported(whole, folder)
        _write(cleaned.removals, Removal, folder / REMOVALS)
        if changes is not None:
            _write(changes, Change, folder / SENSITIVITY)


def _write(rows: Sequence[Record], kind: type[Record], path: Path) -> None:
    write_csv(path, tuple(kind.model_fields), (tuple(row.model_dump().values()) for row in rows))
