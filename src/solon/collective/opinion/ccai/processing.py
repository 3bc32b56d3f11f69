"""From the study's published export to the people and statements that its analysis is about.

    comments.csv            1,418 statements     moderated > 0                      -> 275
    participants-votes.csv  1,126 participants   n-votes > 25, not thrown out       -> 1,002
    ids-to-toss.csv         37 of them, thrown out by the organisers (spam, or the same vote on spam throughout)

Columns are found by name. External ids (`xid`) are not read.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from solon.artifacts.atomic import sha256_bytes
from solon.collective.conversation import Conversation, Ints, Participant, Statement
from solon.collective.opinion.ballots import Ballots, read_ballots
from solon.collective.opinion.ccai.grouping import MORE_VOTES_THAN
from solon.collective.tables import as_integer, raise_faults, read_csv, read_text, shown
from solon.errors import Fault, InputError, Where

COMMENTS, VOTES, THROWN_OUT = "comments.csv", "participants-votes.csv", "ids-to-toss.csv"
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
    moderated = _moderated(folder / COMMENTS)
    ballots = read_ballots(folder / VOTES)
    ids_P = ballots.ids()
    thrown_out = _thrown_out(folder / THROWN_OUT)
    if unknown := sorted(thrown_out - set(ids_P.tolist())):
        what = f"participants {', '.join(map(str, unknown[:5]))} are not in {VOTES}"
        raise InputError(what, where=Where(folder / THROWN_OUT), hint="the files are of different exports")
    voted_on = set(ballots.statement_ids.tolist())
    if missing := sorted(one for one, state in moderated.items() if state > 0 and one not in voted_on):
        what = f"no column for the accepted statements {', '.join(map(str, missing[:5]))}"
        raise InputError(what, where=Where(folder / VOTES, 1), hint=f"{COMMENTS} lists them; get both files again")
    enough_P = ballots.integers("n-votes") > MORE_VOTES_THAN
    thrown_P = np.isin(ids_P, sorted(thrown_out))
    kept_P = enough_P & ~thrown_P
    accepted_S = np.array([moderated.get(one, 0) > 0 for one in ballots.statement_ids.tolist()], dtype=bool)
    if kept_P.sum() < 2 or accepted_S.sum() < 2:
        what = f"{int(kept_P.sum())} participants and {int(accepted_S.sum())} accepted statements are left"
        raise InputError(what, where=Where(folder), hint="this is not the export of the study")
    states = list(moderated.values())
    return Study(
        conversation=_conversation(ballots, ids_P, kept_P, accepted_S, folder),
        export_order_P=ids_P[kept_P],
        in_published_order=fingerprint(ids_P) == PUBLISHED_ORDER,
        n_participants=len(ids_P),
        n_statements=len(moderated),
        dropped={
            f"participants_with_{MORE_VOTES_THAN}_votes_or_fewer": int((~enough_P).sum()),
            "participants_thrown_out": int((enough_P & thrown_P).sum()),
            "statements_rejected": sum(state < 0 for state in states),
            "statements_never_moderated": sum(state == 0 for state in states),
        },
    )


def fingerprint(ids_P: Ints) -> str:
    """Of an order of participants."""
    return sha256_bytes("\n".join(map(str, ids_P.tolist())).encode())


def _conversation(
    ballots: Ballots, ids_P: Ints, kept_P: np.ndarray, accepted_S: np.ndarray, folder: Path
) -> Conversation:
    # By number, which is what the notebook's sort does; columns are sorted already.
    order = np.argsort(ids_P)
    order = order[kept_P[order]]
    groups = ballots.table.column("group-id") if "group-id" in ballots.table.header else [""] * len(ids_P)
    return Conversation(
        statements=tuple(Statement(id=one, text="", moderated=1) for one in ballots.statement_ids[accepted_S].tolist()),
        participants=tuple(
            Participant(id=int(ids_P[row]), exported_group=groups[row].strip() or None) for row in order
        ),
        votes_PS=ballots.votes_PS[np.ix_(order, accepted_S)],
        seen_PS=ballots.seen_PS[np.ix_(order, accepted_S)],
        source=str(folder),
    )


def _moderated(path: Path) -> dict[int, int]:
    """State of each statement: 1 accepted, 0 never moderated, -1 rejected."""
    table = read_csv(path, ours=False)
    table.require("comment-id", "moderated")
    states: dict[int, int] = {}
    for row in table:
        statement = row.integer("comment-id")
        if statement in states:
            row.fail(f"statement {statement} again", "keep one row per statement")
        states[statement] = row.integer("moderated")
    return states


def _thrown_out(path: Path) -> set[int]:
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
    return found
