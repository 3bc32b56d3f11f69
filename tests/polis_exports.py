"""A conversation in a small town, written as exports of every layout, rows and columns in any order."""

from __future__ import annotations

import csv
import io
import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from solon.collective.conversation import Conversation
from solon.collective.exporting import words

START = 1_700_000_000_000
HOUR = 3_600_000
TOPIC = "Our town, our streets"
DESCRIPTION = "What next?\n\nSay it in a sentence."
PEOPLE = (1, 2, 3, 5, 8, 13)
GROUP = {1: "0", 2: "0", 3: "1", 5: "1", 8: "0"}
TEXT = {
    0: "More benches, please",
    1: "=SUM(1,2) is no opinion",
    2: 'We call it "the swamp"',
    4: "Buses first,\nthen bicycles",
    7: "日本庭園をもっと",
    9: "<b>Bold</b> plans",
    10: "Is this conversation fair?",
}
AUTHOR = {0: 1, 1: 1, 2: 2, 4: 3, 7: 5, 9: 8, 10: 13}
MODERATED = {0: 1, 1: 1, 2: 1, 4: 0, 7: 1, 9: -1, 10: 1}
SEEDS, META = {0, 1}, {10}
OPINIONS = {  # by statement: the votes of `PEOPLE`, in their order; x: not seen
    0: (1, 1, -1, 0, 1, 1),
    1: (1, -1, -1, 1, None, 0),
    2: (1, 1, None, -1, 1, 1),
    4: (-1, 0, 1, 1, None, -1),
    7: (1, 1, -1, 1, 1, None),
    9: (None, -1, -1, 0, 1, 1),
    10: (1, None, 1, -1, 1, 1),
}
REPLACED = ((2, 0, -1), (8, 7, 0), (8, 7, -1))
"""(participant, statement, vote) of votes that a later one took the place of, in order of time."""

Event = tuple[int, int, int, int]
"""(time, statement, participant, vote)"""
Order = random.Random | None


def created(statement: int) -> int:
    return START + statement * HOUR


def latest() -> dict[tuple[int, int], int]:
    """(participant, statement) -> vote."""
    return {
        (person, statement): vote
        for statement, row in OPINIONS.items()
        for person, vote in zip(PEOPLE, row, strict=True)
        if vote is not None
    }


def events() -> list[Event]:
    """Every vote: authors' own first, one a second, and no two at one time."""
    found = [
        (created(statement) + 1000 * (20 + person), statement, person, vote)
        for (person, statement), vote in latest().items()
    ]
    for at, (person, statement, vote) in enumerate(REPLACED):
        found.append((created(statement) + 1000 * (1 + at), statement, person, vote))
    return sorted(found)


def clojure(folder: Path, *, votes: bool = True, xid: bool = False, order: Order = None) -> Path:
    """The Clojure export: milliseconds, +1 agree, counts of events."""
    head = ["timestamp", "datetime", "comment-id", "author-id", "agrees", "disagrees", "moderated"]
    head += ["is-meta", "is-seed", "comment-body"]
    rows = []
    for one, text in TEXT.items():
        counts = [sum(s == one and v == kind for _, s, _, v in events()) for kind in (1, -1)]
        flags = [str(one in chosen).lower() for chosen in (META, SEEDS)]
        when = created(one)
        rows.append([when, words(when), one, AUTHOR[one], *counts, MODERATED[one], *flags, text])
    write(folder / "comments.csv", head, rows, order)
    matrix(folder / "participants-votes.csv", 1, xid=xid, order=order)
    summary(folder)
    if votes:
        log = [[time, words(time), s, p, v] for time, s, p, v in events()]
        write(folder / "votes.csv", ["timestamp", "datetime", "comment-id", "voter-id", "vote"], log, order)
    return folder


def server_csv(folder: Path, *, quoted: bool = True, order: Order = None) -> Path:
    """The server's export: seconds, -1 agree, agrees and disagrees swapped, statements perhaps without quotes."""
    head = ["timestamp", "datetime", "comment-id", "author-id", "agrees", "disagrees", "moderated", "comment-body"]
    rows = []
    for one, text in TEXT.items():
        counts = [sum(s == one and v == kind for (_, s), v in latest().items()) for kind in (-1, 1)]
        when = created(one) // 1000
        rows.append([when, words(created(one)), one, AUTHOR[one], *counts, MODERATED[one], text])
    if quoted:
        write(folder / "comments.csv", head, rows, order)
    else:
        folder.mkdir(parents=True, exist_ok=True)
        plain = "".join(",".join(map(str, row)) + "\n" for row in [head, *rows])
        (folder / "comments.csv").write_text(plain, encoding="utf-8")
    matrix(folder / "participant-votes.csv", -1, order=order)
    summary(folder)
    log = [[time // 1000, words(time), s, p, -v] for time, s, p, v in events()]
    write(folder / "votes.csv", ["timestamp", "datetime", "comment-id", "voter-id", "vote"], log, order)
    return folder


def server_json(folder: Path, *, sign: int = -1, order: Order = None) -> Path:
    """The server's answers, latest votes alone; sign: of agree."""
    folder.mkdir(parents=True, exist_ok=True)
    comments: list[dict[str, Any]] = []
    for one, text in TEXT.items():
        on = [vote for (_, statement), vote in latest().items() if statement == one]
        item = {"txt": text, "tid": one, "created": str(created(one)), "pid": AUTHOR[one], "mod": MODERATED[one]}
        counts = {"agree_count": on.count(1), "disagree_count": on.count(-1), "pass_count": on.count(0)}
        comments.append({**item, **counts, "is_seed": one in SEEDS, "is_meta": one in META})
    when = {(person, statement): time for time, statement, person, _ in events()}
    votes = [
        {"pid": person, "tid": statement, "vote": vote * sign, "modified": str(when[person, statement])}
        for (person, statement), vote in latest().items()
    ]
    for name, items in (("comments.json", comments), ("votes.json", votes)):
        if order is not None:
            order.shuffle(items)
        (folder / name).write_text(json.dumps(items, indent=1), encoding="utf-8")
    about = {"topic": TOPIC, "description": DESCRIPTION}
    (folder / "conversation.json").write_text(json.dumps(about), encoding="utf-8")
    counts = {str(person): sum(p == person for p, _ in latest()) for person in PEOPLE}
    (folder / "math-pca2.json").write_text(json.dumps({"user-vote-counts": counts}), encoding="utf-8")
    return folder


def matrix(path: Path, sign: int, *, xid: bool = False, order: Order = None) -> None:
    head = ["participant", *(["xid"] if xid else []), "group-id", "n-comments", "n-votes", "n-agree", "n-disagree"]
    rows = []
    for person in PEOPLE:
        cells = [latest().get((person, one)) for one in TEXT]
        wrote = sum(author == person for author in AUTHOR.values())
        counts = [wrote, len(cells) - cells.count(None), cells.count(sign), cells.count(-sign)]
        votes = ["" if vote is None else vote * sign for vote in cells]
        rows.append([person, *([f"panel-{person}"] if xid else []), GROUP.get(person, ""), *counts, *votes])
    write(path, [*head, *map(str, TEXT)], rows, order)


def summary(folder: Path) -> None:
    counts = [("voters", len(PEOPLE)), ("commenters", 6), ("comments", len(TEXT)), ("groups", 2)]
    write(folder / "summary.csv", ["topic", TOPIC], [*counts, ("conversation-description", DESCRIPTION)])


def write(path: Path, head: Sequence[str], rows: Sequence[Sequence[object]], order: Order = None) -> None:
    """As Polis writes: quotes where they are needed and no guard against formulas."""
    columns = list(range(len(head)))
    rows = list(rows)
    if order is not None:
        order.shuffle(columns)
        order.shuffle(rows)
    buffer = io.StringIO()
    table = csv.writer(buffer, lineterminator="\n")
    table.writerow([head[at] for at in columns])
    table.writerows([row[at] for at in columns] for row in rows)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(buffer.getvalue().encode())


def replace_in(path: Path, old: str, new: str) -> None:
    """Damage a file in one place."""
    text = path.read_text(encoding="utf-8")
    assert old in text, f"{old!r} is not in {path.name}"
    path.write_text(text.replace(old, new, 1), encoding="utf-8", newline="")


def essence(talk: Conversation) -> dict[str, object]:
    """What every layout has."""
    return {
        "topic": (talk.topic, talk.description),
        "statements": [(one.id, one.text, one.author, one.moderated, one.created) for one in talk.statements],
        "participants": talk.participant_ids.tolist(),
        "votes": talk.votes_PS.tolist(),
        "seen": talk.seen_PS.tolist(),
    }


def logged(talk: Conversation) -> list[Event]:
    """The log as `events` has them."""
    assert talk.log is not None
    columns = (talk.log.time, talk.log.statement, talk.log.participant, talk.log.vote)
    return list(zip(*(column.tolist() for column in columns), strict=True))


def folder_bytes(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}
