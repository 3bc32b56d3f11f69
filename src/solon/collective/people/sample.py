"""Who took part against who was meant to: participants' attributes, screening, and the gaps.

Attributes identify people when put together: they stay with the organiser, and what is published goes through
`people.suppression`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from solon.collective.conversation import Conversation, Ints
from solon.collective.csv_text import Faults, as_integer, shown
from solon.collective.people.population import JOINER, Margin, Population
from solon.collective.people.suppression import suppress
from solon.collective.phrases import many
from solon.collective.tables import Table, read_csv
from solon.errors import InputError, Where
from solon.records import Record

PARTICIPANT, XID = "participant", "xid"
"""The columns that name people: by the conversation's numbers, or as they are named where they were recruited."""
WHO = "name everybody as the conversation does"
UNKNOWN = ""
"""The category of those who did not say."""


class Gap(Record):
    """One category of the population against the sample."""

    attribute: str
    """Of a joint quota: the names joined by ` × `."""
    category: str
    """Empty: those of whom it is not known; they count in no share."""
    population_share: float | None
    people: int | None
    """In the sample. None: hidden, because it is small or would give away a small one. So is all that follows."""
    share_of: int | None = None
    """People the share is of: who told the attribute; the whole sample, where that would tell how few did not."""
    sample_share: float | None = None
    gap_points: float | None = None
    """Sample minus population, in percentage points."""
    gap_people: int | None = None
    """People too many (above 0) or missing (below 0) at the present size of the sample."""
    minimum: int = 0
    below_minimum: bool | None = None
    """None: hidden, or nobody is wanted in it."""


class Cells(NamedTuple):
    """A sample by the categories of one margin."""

    margin: Margin
    names: list[str]
    """The population's categories, then combinations that it has nobody in, in alphabetical order, then `UNKNOWN`: the
    category of who lacks any of a joint quota's attributes, too."""
    codes_N: Ints

    @property
    def counts(self) -> list[int]:
        return [int(count) for count in np.bincount(self.codes_N, minlength=len(self.names))]


@dataclass(frozen=True, kw_only=True)
class Sample:
    """The people who belong to the population, and their attributes. N of them."""

    population: Population
    participant_ids: Ints
    """[N], ascending."""
    categories: dict[str, tuple[str, ...]]
    """By attribute: the category of each participant, merged as the population says, or `UNKNOWN`."""
    screened_ids: frozenset[int] = frozenset()
    """People left out, as they do not belong to the population."""
    screened_out: dict[str, int] = field(default_factory=dict)
    """How many these are, by screening question; one who fails several counts under the first."""
    unanswered: dict[str, int] = field(default_factory=dict)
    """Of these, people who left the question empty."""
    without_attributes: int = 0
    """People with votes of whom nothing is known. They are in the sample, every attribute unknown."""
    without_votes: int = 0
    """People with attributes who are in no row of votes. They are left out."""
    unread: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.participant_ids)

    @property
    def cells(self) -> list[Cells]:
        return [self._cells(margin) for margin in self.population.margins]

    def _cells(self, margin: Margin) -> Cells:
        columns = [self.categories[name] for name in margin.attributes]
        rows = [UNKNOWN if UNKNOWN in parts else JOINER.join(parts) for parts in zip(*columns, strict=True)]
        names = [*margin.shares, *sorted(set(rows) - set(margin.shares) - {UNKNOWN}), UNKNOWN]
        place = {name: at for at, name in enumerate(names)}
        return Cells(margin, names, np.array([place[row] for row in rows], dtype=np.int64))


def read_attributes(path: Path, population: Population, conversation: Conversation | None = None) -> Sample:
    """Participants and their attributes from CSV, which names people by `participant` or, as the conversation does, by
    `xid`. Raises InputError with every fault: missing columns, participants without a number or given twice, answers
    that are neither a category of the population nor listed as unknown.
    """
    table = read_csv(path)
    questions = [one.column for one in population.screening]
    key = XID if XID in table.header and PARTICIPANT not in table.header else PARTICIPANT
    needed = [key, *population.attributes, *questions]
    table.require(*needed)
    faults = Faults(path)
    ids = _ids(table, key, conversation, faults)
    answers = {name: _categories(table, name, population, faults) for name in population.attributes}
    faults.raise_any(len(table))
    inside = np.ones(len(table), dtype=bool)
    screened_out, unanswered = dict.fromkeys(questions, 0), dict.fromkeys(questions, 0)
    for question in population.screening:
        given = [answer.strip() for answer in table.column(question.column)]
        failed = inside & ~np.isin(given, question.accepted)
        screened_out[question.column] = int(failed.sum())
        unanswered[question.column] = int((failed & np.isin(given, [""])).sum())
        inside &= ~failed
    order = sorted(np.flatnonzero(inside).tolist(), key=lambda row: ids[row])
    return Sample(
        population=population,
        participant_ids=np.array([ids[row] for row in order], dtype=np.int64),
        categories={name: tuple(values[row] for row in order) for name, values in answers.items()},
        screened_ids=frozenset(ids[row] for row in np.flatnonzero(~inside).tolist()),
        screened_out=screened_out,
        unanswered=unanswered,
        unread=tuple(name for name in table.header if name not in needed),
    )


def sample_of(population: Population, answers: Mapping[int, Mapping[str, str]]) -> Sample:
    """People of the population by their ids, with what each answered, by attribute; nothing: not said."""
    ids = sorted(answers)
    return Sample(
        population=population,
        participant_ids=np.array(ids, dtype=np.int64),
        categories={
            name: tuple(attribute.category(answers[one].get(name, "")) for one in ids)
            for name, attribute in population.attributes.items()
        },
    )


def of_voters(sample: Sample, conversation: Conversation) -> Sample:
    """The sample among those who voted: people of unknown attributes included, people screened out not."""
    row_of = {one: row for row, one in enumerate(sample.participant_ids.tolist())}
    voters = conversation.participant_ids[conversation.n_votes_P > 0].tolist()
    wanted = [one for one in voters if one not in sample.screened_ids]
    known = [row_of[one] for one in wanted if one in row_of]
    return replace(
        sample,
        participant_ids=np.array(wanted, dtype=np.int64),
        categories={
            name: tuple(values[row_of[one]] if one in row_of else UNKNOWN for one in wanted)
            for name, values in sample.categories.items()
        },
        without_attributes=len(wanted) - len(known),
        without_votes=len(sample) - len(known),
    )


def published_gaps(sample: Sample) -> tuple[Gap, ...]:
    """As `gaps`, with counts below the population's threshold hidden, and others from which they could be recomputed.

    The size of the sample counts as published. Counts of attributes that joint quotas link are protected together.
    A share and its count give away what the share is of: where the number of those who did not say is hidden, shares
    are of the whole sample.
    """
    return gaps(sample, _hidden(sample))


def gaps(sample: Sample, hidden: Collection[tuple[str, str]] = ()) -> tuple[Gap, ...]:
    """The sample against the population, exactly: for the organiser. `hidden`: margins and categories without figures.

    60 women and 40 men against shares of one half: women +10 points, 10 people too many.
    """
    return tuple(gap for cells in sample.cells for gap in _gaps(cells, hidden))


def _gaps(cells: Cells, hidden: Collection[tuple[str, str]]) -> Iterator[Gap]:
    margin, counts = cells.margin, cells.counts
    known = sum(counts if (margin.name, UNKNOWN) in hidden else counts[:-1])
    for name, count in zip(cells.names, counts, strict=True):
        if name == UNKNOWN and not count:
            continue
        share = None if name == UNKNOWN else margin.shares.get(name, 0.0)
        minimum = margin.minimum if share else 0
        is_hidden = (margin.name, name) in hidden
        figures: dict[str, float | None] = {}
        if share is not None and known and not is_hidden:
            figures = {
                "share_of": known,
                "sample_share": count / known,
                "gap_points": round(100 * (count / known - share), 9),
                "gap_people": round(count - share * known),
                "below_minimum": count < minimum if share else None,
            }
        people = None if is_hidden else count
        yield Gap(
            attribute=margin.name, category=name, population_share=share, people=people, minimum=minimum, **figures
        )


def _hidden(sample: Sample) -> set[tuple[str, str]]:
    found: set[tuple[str, str]] = set()
    for linked in _linked(sample.cells):
        # The finest table that all of these counts are sums of: the combinations that occur.
        combined = np.stack([cells.codes_N for cells in linked], axis=1)
        finest, counts = np.unique(combined, axis=0, return_counts=True)
        keys = [(cells.margin.name, name) for cells in linked for name in cells.names]
        sums = [finest[:, at] == code for at, cells in enumerate(linked) for code in range(len(cells.names))]
        everybody = np.ones(len(finest), dtype=bool)
        hide = suppress(counts, np.stack([everybody, *sums]), threshold=sample.population.suppress_below, fixed=1)
        found |= {key for key, hidden in zip(keys, hide[1:].tolist(), strict=True) if hidden}
    return found


def _linked(margins: Sequence[Cells]) -> list[list[Cells]]:
    """Margins in groups that share no attribute."""
    found: list[list[Cells]] = []
    for cells in margins:
        names = {*cells.margin.attributes}
        touching = [group for group in found if any(names & {*one.margin.attributes} for one in group)]
        found = [group for group in found if group not in touching]
        found.append([*(one for group in touching for one in group), cells])
    return found


def _ids(table: Table, key: str, conversation: Conversation | None, faults: Faults) -> list[int]:
    """The participant of each row; people of a panel who are not in the conversation get numbers below 0."""
    cells = [cell.strip() for cell in table.column(key)]
    if key == PARTICIPANT:
        numbers = [as_integer(cell) for cell in cells]
        names = [cell if number is None else str(number) for cell, number in zip(cells, numbers, strict=True)]
    else:
        of_xid = {one.xid: one.id for one in conversation.participants if one.xid} if conversation else {}
        if not of_xid:
            hint = "name people by participant, or give a conversation whose import has external ids (--conversation)"
            what = "names people by xid, and no conversation says who that is"
            raise InputError(what, where=Where(table.path, 1), hint=hint)
        numbers = [of_xid.get(cell, -1 - row) if cell else None for row, cell in enumerate(cells)]
        names = [shown(cell) for cell in cells]
    line_of: dict[str, int] = {}
    for line, name, cell, number in zip(table.lines, names, cells, numbers, strict=True):
        if number is None:
            faults.add(line, f"{key} {'is not a whole number' if cell else 'is empty'}", cell or None, hint=WHO)
        elif (first := line_of.setdefault(name, line)) != line:
            faults.add(line, f"{key} {name} is also on line {first}", hint="keep one row for each participant")
    return [number or 0 for number in numbers]


def _categories(table: Table, name: str, population: Population, faults: Faults) -> list[str]:
    """A column's categories, merged. A strange answer is one fault, at its first line."""
    attribute = population.attributes[name]
    answers = [cell.strip() for cell in table.column(name)]
    found = [attribute.category(one) for one in answers]
    strange = Counter(one for one in found if one != UNKNOWN and one not in attribute.shares)
    for answer, count in strange.items():
        known = ", ".join([*attribute.shares, *attribute.merge])
        hint = f"categories: {known}; an answer that tells nothing belongs into `unknown`"
        line = table.lines[found.index(answer)]
        faults.add(line, f"{name}: {shown(answer)} is no category ({many(count, 'row')})", hint=hint)
    return found
