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
from solon.collective.reading.folder import write_imported
from solon.collective.reading.imported import CARD
from solon.collective.tables import write_csv

REMOVALS, SENSITIVITY = "removals.csv", "sensitivity.csv"


def write_cleaned(
    imported: Imported, cleaned: Cleaned, changes: Sequence[Change] | None, out: Path, *, force: bool = False
) -> None:
    """Write the folder, `removals.csv` and, if measured, `sensitivity.csv`, all together or nothing.

    The findings gain a note for each rule.

    Raises:
        InputError: as `write_imported`.
    """
    notes = [
        Finding(
            severity="note",
            where=rule,
            what=f"cleaning removed {many(count, kind)}",
            repair=f"each is in {REMOVALS}",
        )
        for (rule, kind), count in Counter((one.rule, one.kind) for one in cleaned.removals).items()
    ]
    notes += [
        Finding(severity="note", where=rule, what=f"cleaning rule not applied: {why}", repair="")
        for rule, why in cleaned.not_applied.items()
    ]
    whole = replace(imported, conversation=cleaned.conversation, findings=(*imported.findings, *notes))
    with replacing(out, marker=CARD, force=force) as folder:
        write_imported(whole, folder)
        removals = (tuple(one.model_dump().values()) for one in cleaned.removals)
        write_csv(folder / REMOVALS, tuple(Removal.model_fields), removals)
        if changes is not None:
            rows = (tuple(one.model_dump().values()) for one in changes)
            write_csv(folder / SENSITIVITY, tuple(Change.model_fields), rows)
