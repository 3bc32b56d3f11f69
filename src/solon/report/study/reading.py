"""The study's export: who and what is kept of it.

comments.csv            1,418 statements     moderated > 0                      -> 275
participants-votes.csv  1,126 participants   n-votes > 25, not thrown out       -> 1,002
ids-to-toss.csv         37 of them, thrown out by the organisers (spam, or the same vote on spam throughout)
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from solon.artifacts.atomic import sha256_bytes
from solon.collective.conversation import Conversation, Ints
from solon.collective.csv_text import as_integer, raise_faults, read_text, shown
from solon.collective.opinion.ccai import MORE_VOTES_THAN
from solon.collective.reading.folder import open_conversation
from solon.collective.tables import open_csv
from solon.errors import Fault, InputError, Where

VOTES, THROWN_OUT = "participants-votes.csv", "ids-to-toss.csv"
PUBLISHED_ORDER = "f6b2e7c7daafc22b4da06ac7382d0c691ccca8eb859a5a7cc6e5c036abac5922"
"""sha256 of the participant ids of the published file in the order of its rows, joined by line feeds."""


@dataclass(frozen=True, kw_only=True)
class Study:
    """What is left of the export, and in which order it came."""

    conversation: Conversation
    """The people and statements kept; exported groups are Polis's own."""
    export_order_P: Ints
    """Ids of the people kept in the order of the file. The published labels were attached along it."""
    in_published_order: bool
    """Rows stand as in the published file."""
    n_participants: int
    n_statements: int
    """Before anything was left out."""
    dropped: dict[str, int]
    """Counts by reason. Participants: the first reason that applies."""


def read_study(folder: Path) -> Study:
    """Read the export and leave out what the study left out.

    Raises:
        InputError: with file and line, for files that are missing or broken, or that do not belong together.
    """
    talk = open_conversation(folder).conversation
    thrown_P = np.isin(talk.participant_ids, _thrown_out(folder / THROWN_OUT, talk))
    enough_P = talk.n_votes_P > MORE_VOTES_THAN
    moderated_S = np.array([one.moderated for one in talk.statements], dtype=np.int64)
    kept_P, accepted_S = enough_P & ~thrown_P, moderated_S > 0
    if kept_P.sum() < 2 or accepted_S.sum() < 2:
        what = f"{int(kept_P.sum())} participants and {int(accepted_S.sum())} accepted statements are left"
        raise InputError(what, where=Where(folder), hint="this is not the export of the study")
    if silent := talk.statement_ids[accepted_S & ~talk.seen_PS.any(axis=0)].tolist():
        what = f"no votes on the accepted statements {', '.join(map(str, silent[:5]))}"
        raise InputError(what, where=Where(folder / VOTES), hint="comments.csv lists them; get both files again")
    order_P = _file_order(folder / VOTES)
    return Study(
        conversation=talk.select(participants=kept_P, statements=accepted_S),
        export_order_P=order_P[np.isin(order_P, talk.participant_ids[kept_P])],
        in_published_order=fingerprint(order_P) == PUBLISHED_ORDER,
        n_participants=len(kept_P),
        n_statements=len(accepted_S),
        dropped={
            f"participants_with_{MORE_VOTES_THAN}_votes_or_fewer": int((~enough_P).sum()),
            "participants_thrown_out": int((enough_P & thrown_P).sum()),
            "statements_rejected": int((moderated_S < 0).sum()),
            "statements_never_moderated": int((moderated_S == 0).sum()),
        },
    )


def _file_order(path: Path) -> Ints:
    """Participant ids, row by row, of a file that was read before and so has one in each row."""
    opened = open_csv(path)
    at = opened.header.index("participant")
    return np.array([int(record[at]) for _, record in opened.rows()], dtype=np.int64)


def fingerprint(ids_P: Ints) -> str:
    """Of an order of participants."""
    return sha256_bytes("\n".join(map(str, ids_P.tolist())).encode())


def _thrown_out(path: Path, talk: Conversation) -> list[int]:
    """One participant id per line, without a header."""
    found: set[int] = set()
    faults = []
    for line, text in enumerate(read_text(path).splitlines(), start=1):
        number = as_integer(text)
        if number is not None:
            found.add(number)
        elif text.strip():
            faults.append(Fault(f"not a participant id: {shown(text)}", Where(path, line), "write one id per line"))
    raise_faults(faults, path)
    if unknown := sorted(found - set(talk.participant_ids.tolist())):
        what = f"participants {', '.join(map(str, unknown[:5]))} are not in {VOTES}"
        raise InputError(what, where=Where(path), hint="the files are of different exports")
    return sorted(found)
