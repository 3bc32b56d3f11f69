"""A cleaned conversation as a folder: what `solon collect import` writes, with removals and their effect beside it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from solon.collective.cleaning import Change, Cleaned, Removal
from solon.collective.folder import Finding, Imported, write_imported
from solon.collective.tables import write_csv

REMOVALS, SENSITIVITY = "removals.csv", "sensitivity.csv"


def write_cleaned(
    imported: Imported, cleaned: Cleaned, changes: Sequence[Change] | None, out: Path, *, force: bool = False
) -> None:
    """Write the folder, `removals.csv` and, if measured, `sensitivity.csv`. The findings gain a note for each rule.

    Raises:
        InputError: as `write_imported`.
    """
    notes = [
        Finding(
            severity="note",
            where=rule,
            what=f"cleaning removed {count} {kind}{'' if count == 1 else 's'}",
            repair=f"each is in {REMOVALS}",
        )
        for (rule, kind), count in Counter((one.rule, one.kind) for one in cleaned.removals).items()
    ]
    notes += [
        Finding(severity="note", where=rule, what=f"cleaning rule not applied: {why}", repair="")
        for rule, why in cleaned.not_applied.items()
    ]
    whole = replace(imported, conversation=cleaned.conversation, findings=(*imported.findings, *notes))
    write_imported(whole, out, force=force)
    write_csv(
        out / REMOVALS, tuple(Removal.model_fields), (tuple(one.model_dump().values()) for one in cleaned.removals)
    )
    if changes is not None:
        write_csv(out / SENSITIVITY, tuple(Change.model_fields), (tuple(one.model_dump().values()) for one in changes))
