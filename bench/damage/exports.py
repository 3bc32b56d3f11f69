"""A small made-up conversation, written in every layout that exports come in: name of file -> bytes."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from solon.collective.exporting import words
from solon.seeds import generator

Files = dict[str, bytes]
START = 1_700_000_000_000
TEXTS = (
    "More trees along the streets, please",
    "The library should open on Sundays",
    "Café terraces are too loud after ten",
    "Nobody asked us about the new car park",
    "=SUM(1,2) is not an opinion",
    'We call it "the swamp" for a reason',
    "Buses first,\nthen bicycles, then cars",
    "<b>Bold</b> plans need bold taxes",
    "Schools before stadiums",
    "- less noise, more benches",
    "Let the river flood where nobody lives",
    "日本庭園をもっと",
    "Rents rise faster than wages",
    "Dogs belong on a lead",
    "The market should stay where it is",
    "Is this conversation itself fair?",
)


@dataclass(kw_only=True)
class Talk:
    """The conversation behind the files. Votes: +1 agree."""

    people: list[int]
    statements: list[int]
    author: dict[int, int]
    moderated: dict[int, int]
    seeds: set[int]
    meta: set[int]
    events: list[tuple[int, int, int, int]] = field(default_factory=list)
    """(time, statement, participant, vote), in no order."""

    @property
    def latest(self) -> dict[tuple[int, int], int]:
        return {(person, statement): vote for _, statement, person, vote in sorted(self.events)}

    def created(self, statement: int) -> int:
        return START + statement * 3_600_000

    def group(self, person: int) -> str:
        return "" if person % 7 == 6 else str(person % 2)


def made_up(seed: int, people: int = 24, statements: int = len(TEXTS)) -> Talk:
    """Two camps, a few re-votes, seeds, one statement about the conversation, some rejected."""
    rng = generator(seed, "made-up conversation")
    talk = Talk(
        people=[2 * number + number // 5 for number in range(people)],
        statements=[number + number // 9 for number in range(statements)],
        author={},
        moderated={},
        seeds=set(),
        meta=set(),
    )
    for at, statement in enumerate(talk.statements):
        talk.author[statement] = int(rng.choice(talk.people[3:])) if at > 3 else talk.people[0]
        talk.moderated[statement] = int(rng.choice([1, 1, 1, 0, -1]))
        if at <= 3:
            talk.seeds.add(statement)
    talk.meta.add(talk.statements[-1])
    for person in talk.people[1:]:
        for statement in talk.statements:
            own = talk.author[statement] == person
            if not own and rng.random() > 0.6:
                continue
            leaning = 0.8 if (person + statement) % 2 == 0 else 0.3
            vote = 1 if own else int(rng.choice([1, -1, 0], p=[leaning * 0.8, (1 - leaning) * 0.8, 0.2]))
            time = talk.created(statement) + (5 if own else int(rng.integers(1000, 80_000_000)))
            talk.events.append((time, statement, person, vote))
            if not own and rng.random() < 0.05:
                talk.events.append((time + int(rng.integers(1000, 900_000)), statement, person, -vote))
    return talk


def text_of(statement: int, talk: Talk) -> str:
    return TEXTS[talk.statements.index(statement) % len(TEXTS)]


def clojure(talk: Talk, *, votes: bool, flags: bool, xid: bool) -> Files:
    """The Clojure export. votes: with votes.csv; flags: is-meta and is-seed instead of datetime; xid: panel ids."""
    head = [
        "timestamp",
        *([] if flags else ["datetime"]),
        "comment-id",
        "author-id",
        "agrees",
        "disagrees",
        "moderated",
    ]
    head += ["is-meta", "is-seed"] if flags else []
    rows = []
    for one in talk.statements:
        counts = [sum(s == one and v == kind for _, s, _, v in talk.events) for kind in (1, -1)]
        made = talk.created(one)
        row: list[object] = [
            made,
            *([] if flags else [words(made)]),
            one,
            talk.author[one],
            *counts,
            talk.moderated[one],
        ]
        row += [str(one in talk.meta).lower(), str(one in talk.seeds).lower()] if flags else []
        rows.append([*row, text_of(one, talk)])
    files = {
        "comments.csv": as_csv([*head, "comment-body"], rows[::-1]),
        "participants-votes.csv": _matrix(talk, xid=xid, sign=1),
        "summary.csv": _summary(talk),
    }
    if votes:
        rows = [[time, words(time), s, p, v] for time, s, p, v in sorted(talk.events, key=lambda one: one[1:3])]
        files["votes.csv"] = as_csv(["timestamp", "datetime", "comment-id", "voter-id", "vote"], rows)
    return files


def server_csv(talk: Talk, *, quoted: bool) -> Files:
    """The server's export: seconds, -1 agree, `agrees` and `disagrees` swapped, statements perhaps without quotes."""
    head = ["timestamp", "datetime", "comment-id", "author-id", "agrees", "disagrees", "moderated", "comment-body"]
    rows: list[list[object]] = []
    for one in talk.statements:
        counts = [sum(s == one and v == kind for (_, s), v in talk.latest.items()) for kind in (-1, 1)]
        made = talk.created(one) // 1000
        rows.append([made, words(made * 1000), one, talk.author[one], *counts, talk.moderated[one], text_of(one, talk)])
    lines: list[list[object]] = [[*head], *rows]
    plain = "".join(",".join(str(cell) for cell in row) + "\n" for row in lines)
    votes = [[time // 1000, words(time), s, p, -v] for time, s, p, v in sorted(talk.events)]
    return {
        "comments.csv": as_csv(head, rows) if quoted else plain.encode(),
        "participant-votes.csv": _matrix(talk, xid=False, sign=-1),
        "summary.csv": _summary(talk),
        "votes.csv": as_csv(["timestamp", "datetime", "comment-id", "voter-id", "vote"], votes),
    }


def server_json(talk: Talk, *, sign: int) -> Files:
    """The server's API answers; sign: of agree."""
    comments, votes = [], []
    for one in talk.statements:
        on = [vote for (_, statement), vote in talk.latest.items() if statement == one]
        comments.append(
            {
                "txt": text_of(one, talk),
                "tid": one,
                "created": str(talk.created(one)),
                "is_seed": one in talk.seeds,
                "is_meta": one in talk.meta,
                "pid": talk.author[one],
                "mod": talk.moderated[one],
                "agree_count": on.count(1),
                "disagree_count": on.count(-1),
                "pass_count": on.count(0),
                "count": len(on),
                "conversation_id": "6made6up",
            }
        )
    times = {(person, statement): time for time, statement, person, _ in sorted(talk.events)}
    for (person, statement), vote in sorted(talk.latest.items()):
        row = {"pid": person, "tid": statement, "vote": vote * sign, "modified": str(times[person, statement])}
        votes.append({**row, "conversation_id": "6made6up"})
    about = {"topic": "Our town", "description": "What next?", "participant_count": len({one["pid"] for one in votes})}
    counts = {str(person): sum(person == voter for voter, _ in talk.latest) for person, _ in talk.latest}
    return {
        "math-pca2.json": json.dumps({"n": len(counts), "user-vote-counts": counts}).encode(),
        "comments.json": json.dumps(comments, indent=1).encode(),
        "votes.json": json.dumps(votes, indent=1).encode(),
        "conversation.json": json.dumps(about, indent=1).encode(),
    }


def layouts(talk: Talk) -> dict[str, Files]:
    """The conversation in every layout."""
    return {
        "Clojure": clojure(talk, votes=True, flags=True, xid=True),
        "Clojure, older": clojure(talk, votes=True, flags=False, xid=False),
        "Clojure, no votes.csv": clojure(talk, votes=False, flags=False, xid=True),
        "server CSV": server_csv(talk, quoted=True),
        "server CSV, unquoted": server_csv(talk, quoted=False),
        "server JSON": server_json(talk, sign=1),
        "server JSON, raw sign": server_json(talk, sign=-1),
    }


def as_csv(header: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """CSV as Polis writes it: quotes where they are needed, no guard against formulas."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return buffer.getvalue().encode()


def _matrix(talk: Talk, *, xid: bool, sign: int) -> bytes:
    head = ["participant", *(["xid"] if xid else []), "group-id", "n-comments", "n-votes", "n-agree", "n-disagree"]
    latest, rows = talk.latest, []
    for person in talk.people:
        cells = [latest.get((person, one)) for one in talk.statements]
        wrote = sum(author == person for author in talk.author.values())
        counts = [wrote, len(cells) - cells.count(None), cells.count(sign), cells.count(-sign)]
        votes = ["" if vote is None else vote * sign for vote in cells]
        rows.append([person, *([f"panel-{person}"] if xid else []), talk.group(person), *counts, *votes])
    order = np.argsort([-int(row[0]) for row in rows])
    return as_csv([*head, *map(str, talk.statements)], [rows[at] for at in order])


def _summary(talk: Talk) -> bytes:
    rows: list[tuple[str, object]] = [
        ("url", "https://polis.example/6made6up"),
        ("voters", len(talk.people)),
        ("commenters", len(set(talk.author.values()))),
        ("comments", len(talk.statements)),
        ("groups", 2),
        ("conversation-description", "What next?\n\nSay it, in a sentence."),
    ]
    return as_csv(["topic", "Our town, our streets"], rows)
