"""A folder of training sets for TRL: finetuning, preferences and prompts, and a data card that explains them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from solon.artifacts.atomic import folder_atomic
from solon.artifacts.manifest import Counts, Tally
from solon.errors import UserError, Where
from solon.export.card import SETS, card_text
from solon.export.files import Format, check_format, write_rows
from solon.export.forms import Form
from solon.export.sets import RunSets

README = "README.md"


def export_trl(
    run: Path, out: Path, *, form: Form = "conversational", format: Format = "jsonl"
) -> Mapping[str, Counts]:
    """Write every set of a run into the new folder `out`, and return the account of each by its name.

    Raises:
        RunError: if there is no run, it has not come far enough, or its files are not what its stages made.
        UserError: if `out` exists or cannot be written, or Parquet's library is missing.
    """
    check_format(format)
    sets = RunSets(run, form)
    accounts: dict[str, Counts] = {}
    with _new_folder(out) as folder:
        for one in SETS:
            tally = Tally()
            rows = getattr(sets, one.name)(tally)
            write_rows(folder / f"{one.name}.{format}", rows, one.row, form, format)
            accounts[one.name] = tally.counts()
        card = card_text(accounts, sets.fingerprints, form=form, format=format)
        (folder / README).write_bytes(card.encode("utf-8"))
    return accounts


@contextmanager
def _new_folder(out: Path) -> Iterator[Path]:
    """`folder_atomic`, with a `UserError` if the place cannot be used."""
    elsewhere = "name another place with -o"
    if out.exists():
        raise UserError("exists already, and nothing is overwritten", where=Where(out), hint=elsewhere)
    try:
        with folder_atomic(out) as folder:
            yield folder
    except OSError as error:
        raise UserError(f"cannot be written: {error.strerror or error}", where=Where(out), hint=elsewhere) from error
