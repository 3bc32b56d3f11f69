"""Two hundred people vote and write on a site at once: how long it takes them, and whether anything is lost.

A server process of its own (`solon serve`) is spoken to over HTTP, by people of whom each keeps cookies and a
connection and has an address of their own, as behind a proxy. A person reads the next statement for `--think` seconds,
drawn evenly (5 to 10: a fast reader), votes, and writes a statement of their own instead of every tenth vote.
`--think 0 0`: nobody thinks, everybody sends as fast as they are answered; that is the most votes a second.

`--kills N`: the server is killed with SIGKILL so many times, at moments evenly spread over the time, and started again;
people send again what was not answered. After each start the log of votes is read. Then the database is looked into:
every acknowledged vote is there exactly once, on what its form was of, every acknowledged statement once; every row of
the log that was ever read is there as it was; the vote that counts is the newest of the log; SQLite finds its file
whole. With PostgreSQL the site is killed, its database goes on.

A time is from sending a request to its whole answer, with the wait for a connection. Requests that nobody was there to
answer are counted apart. An answer other than a page or the redirect that a form leads to breaks a promise, and so does
whoever could not go on to the end.

Promises: 95% of the answers in under 300 ms while people think and nobody kills; nothing lost, ever. Exits with 1
where one is broken. On a machine that others use, times are upper bounds; processor time is the server's own.

Run: `python bench/site_load.py` (SQLite), `--postgres` (a server of its own, which keeps what it commits), with
`--kills 10`, `--think 0 0`, `--workers N`; `--people`, `--seconds`. `--all`: both databases, with and without ten kills
(or as many as `--kills` says).
"""

from __future__ import annotations

import argparse
import asyncio
import random
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
import psutil
from simulated import postgresql
from simulated.visitors import Visitor
from sqlalchemy import func, select, text

from solon.web.db.conversations import new_conversation
from solon.web.db.statements import add_statement
from solon.web.db.tables import Showing, Standing, State, Statement, Vote
from solon.web.settings import Settings
from solon.web.site import Site

MOST_P95 = 0.3
"""Seconds."""
SEEDS, KILLS, MOST_TOLD = 100, 10, 3
EXPECTED = ("GET 200", "GET 303", "POST 200", "POST 303")
BEFORE_WRITING = 3
WRITES_ONE_IN = 10
SOLON = str(Path(sys.executable).with_name("solon"))
VOTES = {"agree": 1, "disagree": -1, "pass": 0}


@dataclass
class Server:
    """`solon serve`, which may be killed and started again on the same port."""

    command: list[str]
    port: int
    used: float = 0.0
    """Seconds of processor time of those that ended."""
    running: psutil.Popen | None = None

    async def start(self) -> None:
        self.running = psutil.Popen(self.command, stdout=subprocess.DEVNULL)
        while self.running.poll() is None:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", self.port)
            except OSError:
                await asyncio.sleep(0.05)
                continue
            writer.close()
            return
        raise SystemExit(f"the server does not start: it ended with {self.running.returncode}")

    def end(self) -> None:
        """Whatever happened before."""
        if self.running is not None and self.running.is_running():
            self.kill()

    def kill(self) -> None:
        """With its workers."""
        assert self.running is not None
        family = [self.running, *self.running.children(recursive=True)]
        self.used += sum(sum(one.cpu_times()[:2]) for one in family)
        for one in family:
            one.kill()
        self.running.wait()


class Logged(NamedTuple):
    """A row of the log of votes."""

    token: str
    participant: int
    statement: int
    vote: int | None
    time: int


@dataclass
class Told:
    """What people know of that was acknowledged."""

    votes: dict[str, int] = field(default_factory=dict)
    """By the token of their form."""
    statements: list[str] = field(default_factory=list)
    cycles: list[float] = field(default_factory=list)
    """Seconds from a vote to the next statement."""
    stopped: list[str] = field(default_factory=list)
    """Why somebody could not go on to the end."""
    log: dict[int, Logged] = field(default_factory=dict)
    """Rows of votes as they were when the server had been killed, and started again."""
    kills: int = 0
    """Those while people were there."""


async def guarded(number: int, work: Awaitable[str], told: Told) -> None:
    """One person; what keeps them from going on ends nobody else."""
    try:
        why = await work
    except (TimeoutError, StopIteration, RuntimeError, KeyError) as error:
        why = f"{type(error).__name__} {error}"
    told.stopped += [f"person {number}: {why}"] if why else []


async def person(number: int, at: str, visitor: Visitor, told: Told, ends: float, think: tuple[float, float]) -> str:
    """Joins, then votes and writes until the time is over. Returns why they could not, if so."""
    draws = random.Random(number)
    await asyncio.sleep(draws.uniform(0, think[1]))
    asked = await visitor.get(f"{at}/join")
    joined = await visitor.post(f"{at}/join", {"csrf": asked.hidden("csrf"), "consent": "yes"})
    page = await visitor.get(joined.headers["location"])
    voted = 0
    while time.monotonic() < ends:
        await asyncio.sleep(draws.uniform(*think))
        if voted >= BEFORE_WRITING and draws.random() * WRITES_ONE_IN < 1:
            await write(number, len(told.statements), at, visitor, told)
        if 'name="token"' not in page.body or 'class="agree"' not in page.body:
            return "" if page.status == 200 else f"no statement, status {page.status}"
        choice = draws.choice(list(VOTES))
        token, started = page.hidden("token"), time.perf_counter()
        answer = await visitor.post(f"{at}/vote", {"csrf": page.hidden("csrf"), "token": token, "vote": choice})
        if answer.status == 303:
            told.votes[token] = VOTES[choice]
            voted += 1
        page = await visitor.get(f"{at}/vote")
        told.cycles.append(time.perf_counter() - started)
    return ""


async def write(number: int, nth: int, at: str, visitor: Visitor, told: Told) -> None:
    page = await visitor.get(f"{at}/write")
    said = f"Thought {nth} of person {number} is about {random.Random(nth).getrandbits(64):x}."
    answer = await visitor.post(f"{at}/write", {"csrf": page.hidden("csrf"), "text": said, "anyway": "yes"})
    if answer.status == 200:
        told.statements.append(said)


async def trouble(server: Server, site: Site, kills: int, told: Told, started: float, seconds: float) -> None:
    """Kills the server, evenly spread over the time; a start that takes long moves none of the later ones."""
    for nth in range(1, kills + 1):
        await asyncio.sleep(max(0.0, started + seconds * nth / (kills + 1) - time.monotonic()))
        told.kills += time.monotonic() < started + seconds
        server.kill()
        await server.start()
        told.log |= await asyncio.to_thread(logged, site)


def logged(site: Site) -> dict[int, Logged]:
    """By row. Nothing stays open: what a killed server leaves is for the next one to mend."""
    columns = (Vote.token, Vote.participant_id, Vote.statement_id, Vote.vote, Vote.time)
    with site.database.session(writes=False) as db:
        found = {row[0]: Logged._make(row[1:]) for row in db.execute(select(Vote.id, *columns))}
    site.database.close()
    return found


async def crowd(server: Server, site: Site, at: str, asked: argparse.Namespace) -> tuple[list[Visitor], Told, float]:
    """Everybody at once. Returns the seconds that it took, too."""
    await server.start()
    await answering(server)
    told, started = Told(), time.monotonic()
    visitors = [Visitor(server.port, f"10.0.{one // 250}.{one % 250 + 1}") for one in range(asked.people)]
    ends, think = started + asked.seconds, tuple(asked.think)
    people = [guarded(number, person(number, at, one, told, ends, think), told) for number, one in enumerate(visitors)]
    await asyncio.gather(*people, trouble(server, site, asked.kills, told, started, asked.seconds))
    return visitors, told, time.monotonic() - started


async def answering(server: Server) -> None:
    """Wait for its first answer: with workers, somebody listens before anybody can answer."""
    while True:
        with suppress(TimeoutError):
            await Visitor(server.port, "10.0.255.1").get("/health")
            return


def prepared(site: Site) -> str:
    """The address of an open conversation."""
    with site.database.session(writes=True) as db:
        talk = new_conversation(db, topic="Load", state=State.OPEN, votes_before_writing=BEFORE_WRITING)
        for at in range(SEEDS):
            add_statement(db, talk, f"Statement {at} is one of those that everybody sees first.", moderated=1)
        db.commit()
    site.database.close()
    return f"/c/{talk.slug}"


def lost(site: Site, told: Told) -> list[str]:
    """What the database says otherwise than people were told."""
    found, log = [], logged(site)
    votes, rows = {row.token: row.vote for row in log.values()}, len(log)
    with site.database.session(writes=False) as db:
        shown = {one.token: (one.participant_id, one.statement_id) for one in db.scalars(select(Showing))}
        written = Counter(db.scalars(select(Statement.text).where(~Statement.is_seed)))
        newest = select(func.max(Vote.id)).group_by(Vote.participant_id, Vote.statement_id)
        standing = set(db.scalars(select(Standing.vote_id)))
        if any(votes.get(token) != vote for token, vote in told.votes.items()):
            found.append("an acknowledged vote is not there, or another one")
        if any(shown.get(row.token, row[1:3]) != row[1:3] for row in log.values()):
            found.append("a vote is not of whom, or on what, its form was")
        if any(log.get(id) != row for id, row in told.log.items()):
            found.append("a row of the log that was read after a kill is not there any more, or another one")
        if rows != len(told.votes) + len(told.statements) or len(votes) != rows:
            found.append(f"{rows} votes for {len(told.votes)} acknowledged and {len(told.statements)} statements")
        if written != Counter(told.statements):
            found.append("statements are not those that were acknowledged, each once")
        if standing != set(db.scalars(newest)):
            found.append("a vote that counts is not the newest of the log")
        if db.get_bind().dialect.name == "sqlite":
            found += [one for one in db.scalars(text("PRAGMA integrity_check")) if one != "ok"]
    return found


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--think", type=float, nargs=2, default=[5.0, 10.0], metavar=("LEAST", "MOST"))
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--postgres", action="store_true")
    parser.add_argument("--all", action="store_true")
    return parser.parse_args()


def main() -> int:
    asked = options()
    if not asked.all:
        return measure(asked)
    runs = [(postgres, kills) for postgres in (False, True) for kills in (0, asked.kills or KILLS)]
    return max([measure(argparse.Namespace(**vars(asked) | {"postgres": a, "kills": b})) for a, b in runs])


def measure(asked: argparse.Namespace) -> int:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        database = ""
        if asked.postgres:
            program = postgresql.postgres()
            assert program is not None, "no PostgreSQL on this machine"
            database = postgresql.url(stack.enter_context(postgresql.server(program, durable=True)))
        site, port = Site(Settings(folder=folder, database=database)), free_port()
        at = prepared(site)
        command = [SOLON, "serve", "--folder", str(folder), "--port", str(port), "--url", f"http://127.0.0.1:{port}"]
        command += ["--database", database] if database else []
        command += ["--workers", str(asked.workers)] if asked.workers > 1 else []
        server = Server(command, port)
        stack.callback(server.end)
        visitors, told, seconds = asyncio.run(crowd(server, site, at, asked))
        server.kill()
        return say(asked, visitors, told, seconds, server.used, lost(site, told))


def say(
    asked: argparse.Namespace, visitors: list[Visitor], told: Told, seconds: float, used: float, faults: list[str]
) -> int:
    answers = np.array([one for visitor in visitors for one in visitor.seconds])
    outages = [one for visitor in visitors for one in visitor.outages]
    statuses = sum((one.statuses for one in visitors), Counter[str]())
    faults += told.stopped[:MOST_TOLD] + [f"{len(told.stopped)} people could not go on"] * bool(told.stopped)
    faults += [f"{count} answers {one}" for one, count in statuses.items() if one not in EXPECTED]
    faults += [f"{told.kills} kills while people were there, for {asked.kills}"] * (told.kills != asked.kills)
    faults += ["nobody was answered"] * (len(answers) == 0)
    answers, cycles = (np.array(one if len(one) else [np.inf]) for one in (answers, told.cycles))
    p50, p95, p99 = np.percentile(answers, [50, 95, 99])
    votes = len(told.votes)
    name = f"{'PostgreSQL' if asked.postgres else 'SQLite'}, {asked.people} people, think {asked.think}"
    print(f"{name}, {asked.workers} workers, {told.kills} kills, {seconds:.0f} s")
    print(f"votes {votes} ({votes / seconds:.1f}/s), statements {len(told.statements)}, answers {dict(statuses)}")
    print(
        f"answers: p50 {p50 * 1e3:.0f} ms, p95 {p95 * 1e3:.0f} ms, p99 {p99 * 1e3:.0f} ms, most {answers.max():.1f} s; "
        f"vote to next statement: p95 {np.percentile(cycles, 95) * 1e3:.0f} ms"
    )
    print(f"sent while the site was away: {len(outages)}, answered after {max(outages, default=0.0):.1f} s at most")
    print(f"server: {used:.1f} s of processor, {used / max(1, votes) * 1e3:.1f} ms a vote")
    judged = asked.kills == 0 and asked.think[1] > 0
    slow = judged and p95 > MOST_P95
    print(f"p95 under {MOST_P95 * 1e3:.0f} ms: {('broken' if slow else 'kept') if judged else 'not judged'}")
    print(f"nothing lost, every vote once, the log whole: {'broken: ' * bool(faults)}{'; '.join(faults) or 'kept'}")
    print(f"promises: {'broken' if faults or slow else 'kept'}", flush=True)
    return int(bool(faults) or slow)


if __name__ == "__main__":
    sys.exit(main())
