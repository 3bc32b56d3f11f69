"""The export becomes a constitution, by the commands of `solon collect`; and what came of the public that is known."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from solon.artifacts.atomic import write_atomic
from solon.collective.opinion.likeness import adjusted_rand_index, shared_counts
from solon.collective.principles.trace import PrincipleTrace, StatementTrace, Trace, trace_path
from solon.collective.tables import read_csv
from solon.errors import ProcessError
from solon.progress import Reporter
from solon.records import Record
from solon.town.leash import LAUNCH
from solon.town.public import HOME, Public
from solon.world.raters import terms_of

YES = "y\n" * 50
"""What the organiser says of every proposal: that two statements say the same."""


@dataclass(frozen=True, kw_only=True)
class Folder:
    """Where everything of the conversation lies."""

    path: Path

    @property
    def export(self) -> Path:
        """As the site gave it."""
        return self.path / "export"

    @property
    def site(self) -> Path:
        """The site itself, closed."""
        return self.path / "site"

    @property
    def browsers(self) -> Path:
        """Everybody's cookies, by their number among all people."""
        return self.path / "browsers"

    @property
    def population(self) -> Path:
        return self.path / "population.toml"

    @property
    def groups(self) -> Path:
        return self.path / "groups.csv"

    @property
    def constitution(self) -> Path:
        return self.path / "public.toml"

    @property
    def model(self) -> Path:
        """The constitution in the words of the model that is trained by it."""
        return self.path / "model.toml"

    @property
    def report(self) -> Path:
        return self.path / "report.html"

    def said(self, step: str) -> Path:
        """What a command printed. It is there once the command has ended well."""
        return self.path / f"said-{step}.txt"

    def trace(self) -> Trace:
        return Trace.model_validate_json(trace_path(self.constitution).read_bytes())


def steps(folder: Folder, organiser: str) -> dict[str, list[str]]:
    """The commands, by the part of `solon collect` that each is."""
    talk, merges = folder.path / "conversation", folder.path / "merges.toml"
    people = folder.export / "people.csv"
    given = ["--groups", folder.groups]
    about = ["--population", folder.population, "--attributes", people, "--organiser", organiser]
    table: dict[str, list[object]] = {
        "import": [folder.export, "-o", talk],
        "population": [folder.population, people, "--conversation", talk, "-o", folder.path / "sample"],
        "groups": [talk, "-o", folder.groups],
        "analyse": [talk, "-o", folder.path / "analysis"],
        "topics": [talk, "-o", merges],
        "merge": [merges],
        "principles": [talk, *given, "--merges", merges, "-o", folder.constitution],
        "report": [
            *(talk, *given, "--constitution", folder.constitution, *about),
            *("--statements-language", "en", "-o", folder.report),
        ],
    }
    forced = {name: [] if name == "merge" else ["--force"] for name in table}
    return {name: ["collect", name, *map(str, those), *forced[name]] for name, those in table.items()}


def collect(folder: Folder, public: Public, reporter: Reporter) -> None:
    """All commands that have not ended well before, each once. Raises ProcessError with what one said that failed."""
    write_atomic(folder.population, public.population().encode())
    commands = steps(folder, public.organiser)
    reporter.stage("from votes to a constitution", len(commands))
    for name, arguments in commands.items():
        if folder.said(name).is_file():
            reporter.recovered(1)
            continue
        write_atomic(folder.said(name), _said(arguments).encode())
        reporter.advance(1, 0)
    reporter.end_stage()


def typed(arguments: Sequence[str]) -> str:
    """A command of Solon as it is typed."""
    return shlex.join(["solon", *arguments])


def _said(arguments: Sequence[str]) -> str:
    return said_by(arguments, answers=YES)


def said_by(arguments: Sequence[str], *, answers: str = "") -> str:
    """What a command of Solon prints. Raises ProcessError if it fails."""
    done = subprocess.run([*LAUNCH, *arguments], input=answers, capture_output=True, text=True)
    if done.returncode:
        raise ProcessError(f"`{typed(arguments)}` failed: {' '.join(done.stderr.split()[-60:])}")
    return done.stdout


class Chosen(Record):
    """A principle of the public's constitution."""

    id: str
    text: str
    about: tuple[str, ...]
    """Faults of the world that its words name."""
    consensus: float


class LeftOut(Record):
    """A statement that is in no principle."""

    text: str
    about: tuple[str, ...]
    shares: tuple[float, ...]
    """That agree, by opinion group; empty where it was not voted on."""
    why: str

    @property
    def splits(self) -> bool:
        """Whether most of one group agree, and most of another do not."""
        return bool(self.shares) and max(self.shares) > 0.5 >= min(self.shares)


class Collected(Record):
    """What the votes came to, beside what is known of the public."""

    people: int
    statements: int
    votes: int
    groups: tuple[int, ...]
    """Their sizes."""
    mostly: tuple[str, ...]
    """The district that most of each group live in."""
    districts: tuple[int, ...]
    likeness: float
    """Adjusted Rand index of groups and districts: 1 the same, 0 as alike as chance."""
    placed: float
    """Share of people who are in the group that most of their district are in."""
    chosen: tuple[Chosen, ...]
    left_out: tuple[LeftOut, ...]
    objections: dict[str, tuple[str, ...]]
    """Faults that most of a group want none of, by group."""

    @property
    def agreed(self) -> list[str]:
        """Faults that the constitution names."""
        return list(dict.fromkeys(fault for one in self.chosen for fault in one.about))

    @property
    def split(self) -> list[str]:
        """Faults that groups differ on, and the constitution does not name."""
        found = (fault for one in self.left_out if one.splits for fault in one.about)
        return [fault for fault in dict.fromkeys(found) if fault not in self.agreed]


def collected(folder: Folder, public: Public) -> Collected:
    """From the files that the commands wrote."""
    trace = folder.trace()
    group_P, home_P = _groups_and_homes(folder, public)
    shared = shared_counts(home_P, group_P)
    return Collected(
        people=trace.participants,
        statements=trace.statements_total,
        votes=trace.votes_total,
        groups=tuple(one.members for one in trace.groups),
        mostly=tuple(public.district[at].name for at in shared.argmax(axis=0)),
        districts=tuple(one.people for one in public.district),
        likeness=adjusted_rand_index(home_P, group_P),
        placed=float(shared.max(axis=1).sum() / len(home_P)),
        chosen=tuple(map(_chosen, trace.principles)),
        left_out=tuple(_left_out(one) for one in trace.statements if one.left_out),
        objections={one.name: tuple(_objections(trace, one.name)) for one in trace.groups},
    )


def _groups_and_homes(folder: Folder, public: Public) -> tuple[np.ndarray, np.ndarray]:
    """Group and district of everybody who is in a group."""
    homes = {one.name: number for number, one in enumerate(public.district)}
    home_of = dict(_pairs(folder.export / "people.csv", "participant", HOME))
    placed = [(int(group), homes[home_of[person]]) for person, group in _pairs(folder.groups, "participant", "group")]
    group_P, home_P = np.array(placed, dtype=np.int64).T
    return group_P, home_P


def _pairs(path: Path, *columns: str) -> Iterator[tuple[str, str]]:
    table = read_csv(path)
    first, second = (table.column(name) for name in columns)
    return zip(first, second, strict=True)


def _chosen(one: PrincipleTrace) -> Chosen:
    assert one.figures.geometric_mean is not None, "a principle has votes"
    return Chosen(id=one.id, text=one.text, about=terms_of(one.text), consensus=one.figures.geometric_mean)


def _left_out(one: StatementTrace) -> LeftOut:
    assert one.left_out is not None
    shares = tuple(votes.agrees / votes.votes for votes in one.figures.groups if votes.votes)
    return LeftOut(text=one.text, about=terms_of(one.text), shares=shares, why=one.left_out.detail)


def _objections(trace: Trace, group: str) -> Iterator[str]:
    found: dict[str, list[bool]] = {}
    for one in trace.statements:
        votes = next(votes for votes in one.figures.groups if votes.group == group)
        for fault in terms_of(one.text) if votes.votes and one.moderated == 1 else ():
            found.setdefault(fault, []).append(votes.agrees / votes.votes > 0.5)
    return (fault for fault, wants_none in found.items() if all(wants_none))
