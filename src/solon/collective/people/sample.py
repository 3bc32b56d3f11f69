"""Who took part against who was meant to: participants' attributes, screening, and the gaps.

Attributes are a CSV file with `participant` and a column for each attribute and screening question of the population.
Other columns are not read. They identify people when put together: they stay with the organiser, and what is published
goes through `people.suppression`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from solon.collective.conversation import Conversation, Ints
from solon.collective.people.population import JOINER, Margin, Population
from solon.collective.people.suppression import suppress
from solon.collective.people.toml_faults import line_of_fault
from solon.collective.tables import Table, as_integer, raise_faults, read_csv, shown
from solon.errors import Fault, InputError, Where
from solon.records import Record

XID = "xid"
"""The column that names people as they are named where they were recruited."""
UNKNOWN = ""
"""The category of those who did not say."""


class Gap(Record):
    """One category of the population against the sample."""

    attribute: str
    """Of a joint quota: the names joined by ` × `."""
    category: str
    """Empty: those of whom it is not known; they count in no share."""
    population_share: float | None
    """None: not known."""
    people: int | None
    """In the sample. None: hidden, because it is small or would give away a small one. So is all that follows."""
    share_of: int | None = None
    """People the share is of: those of whom the attribute is known. Where that number would give away how few did not
    say, everybody in the sample."""
    sample_share: float | None = None
    gap_points: float | None = None
    """Sample minus population, in percentage points."""
    gap_people: int | None = None
    """People too many (above 0) or missing (below 0) at the present size of the sample."""
    minimum: int = 0
    """People wanted."""
    below_minimum: bool | None = None
    """None: hidden, or nobody is wanted in it."""


@dataclass(frozen=True, kw_only=True)
class Sample:
    """The people who belong to the population, and their attributes. N of them."""

    population: Population
    participant_ids: Ints
    """[N], ascending."""
    categories: dict[str, tuple[str, ...]]
    """By attribute: the category of each participant, merged as the population says, or `UNKNOWN`."""
    screened_out: dict[str, int] = field(default_factory=dict)
    """People left out, by screening question; one who fails several counts under the first."""
    unanswered: dict[str, int] = field(default_factory=dict)
    """Of these, people who left the question empty."""
    without_attributes: int = 0
    """People with votes of whom nothing is known. They are in the sample, every attribute unknown."""
    without_votes: int = 0
    """People with attributes who are in no row of votes. They are left out."""

    def __len__(self) -> int:
        return len(self.participant_ids)

    def codes(self, margin: Margin) -> tuple[list[str], Ints]:
        """Names of a margin's categories, the population's first, and the category of each participant [N].

        Who lacks any of a joint quota's attributes is `UNKNOWN` in it. Combinations that the population has nobody in
        follow its own, in alphabetical order.
        """
        columns = [self.categories[name] for name in margin.attributes]
        rows = [UNKNOWN if UNKNOWN in parts else JOINER.join(parts) for parts in zip(*columns, strict=True)]
        strange = sorted(set(rows) - set(margin.shares) - {UNKNOWN})
        names = [*margin.shares, *strange, UNKNOWN]
        place = {name: at for at, name in enumerate(names)}
        return names, np.array([place[row] for row in rows], dtype=np.int64)

    def of(self, participant_ids: Ints, screened_ids: Sequence[int] = ()) -> Sample:
        """The sample among the people of a conversation.

        `screened_ids`: people who are known not to belong to the population.
        """
        known = {int(one): at for at, one in enumerate(self.participant_ids)}
        outside = {*screened_ids}
        wanted = sorted({int(one) for one in participant_ids} - outside)
        return Sample(
            population=self.population,
            participant_ids=np.array(wanted, dtype=np.int64),
            categories={
                name: tuple(values[known[one]] if one in known else UNKNOWN for one in wanted)
                for name, values in self.categories.items()
            },
            screened_out=self.screened_out,
            unanswered=self.unanswered,
            without_attributes=sum(one not in known for one in wanted),
            without_votes=len(known.keys() - set(wanted)),
        )


@dataclass(frozen=True, kw_only=True)
class Reading:
    """An attributes file, read."""

    sample: Sample
    screened_ids: tuple[int, ...]
    """People who do not belong to the population."""
    unread: tuple[str, ...]
    """Columns of the file that the population does not name."""


def read_attributes(path: Path, population: Population, conversation: Conversation | None = None) -> Reading:
    """Participants' attributes from CSV, which names people by `participant` or, as the conversation does, by `xid`.

    Raises:
        InputError: with every fault: missing columns, participants without a number or given twice, answers that are
            neither a category of the population nor listed as unknown.
    """
    table = read_csv(path)
    questions = [one.column for one in population.screening]
    by_xid = XID in table.header and "participant" not in table.header
    needed = [XID if by_xid else "participant", *population.attributes, *questions]
    table.require(*needed)
    faults: list[Fault] = []
    ids = _ids_of_xids(table, conversation, faults) if by_xid else _ids(table, faults)
    answers = {name: _categories(table, name, population, faults) for name in population.attributes}
    raise_faults(sorted(faults, key=line_of_fault), path)
    inside = np.ones(len(table), dtype=bool)
    screened_out, unanswered = dict.fromkeys(questions, 0), dict.fromkeys(questions, 0)
    for question in population.screening:
        given = [answer.strip() for answer in table.column(question.column)]
        failed = inside & ~np.isin(given, question.accepted)
        screened_out[question.column] = int(failed.sum())
        unanswered[question.column] = int((failed & np.isin(given, [""])).sum())
        inside &= ~failed
    order = [int(row) for row in np.argsort(ids, kind="stable") if inside[row]]
    sample = Sample(
        population=population,
        participant_ids=np.array([ids[row] for row in order], dtype=np.int64),
        categories={name: tuple(values[row] for row in order) for name, values in answers.items()},
        screened_out=screened_out,
        unanswered=unanswered,
    )
    outside = tuple(sorted(one for one, kept in zip(ids, inside, strict=True) if not kept))
    unread = tuple(name for name in table.header if name not in needed)
    return Reading(sample=sample, screened_ids=outside, unread=unread)


def of_voters(sample: Sample, conversation: Conversation, screened_ids: Sequence[int]) -> Sample:
    """The sample among those who voted: people of unknown attributes included, people screened out not."""
    return sample.of(conversation.participant_ids[conversation.n_votes_P > 0], screened_ids)


def gaps(sample: Sample) -> tuple[Gap, ...]:
    """The sample against the population, exactly: for the organiser. Publish `published_gaps` instead.

    60 women and 40 men against shares of one half: women +10 points, 10 people too many.
    """
    return tuple(gap for margin in sample.population.margins for gap in _margin_gaps(sample, margin, None))


def published_gaps(sample: Sample) -> tuple[Gap, ...]:
    """As `gaps`, with counts below the population's threshold hidden, and others from which they could be recomputed.

    The size of the sample counts as published. Counts of attributes that joint quotas link are protected together.
    A share and its count give away what the share is of: where the number of those who did not say is hidden, shares
    are of the whole sample.
    """
    may_show = _shown(sample)
    return tuple(gap for margin in sample.population.margins for gap in _margin_gaps(sample, margin, may_show))


def _margin_gaps(sample: Sample, margin: Margin, may_show: dict[tuple[str, str], bool] | None) -> list[Gap]:
    """The gaps of one margin. `may_show`: by margin and category, for publication; None: everything."""
    names, codes = sample.codes(margin)
    counts = np.bincount(codes, minlength=len(names)).tolist()
    known = sum(counts[:-1])
    if may_show is not None and not may_show[margin.name, UNKNOWN]:
        known = len(sample)
    found = []
    for name, count in zip(names, counts, strict=True):
        if name == UNKNOWN and not count:
            continue
        share = None if name == UNKNOWN else margin.shares.get(name, 0.0)
        minimum = sample.population.minimum_of(margin) if share else 0
        gap = Gap(attribute=margin.name, category=name, population_share=share, people=None, minimum=minimum)
        if may_show is None or may_show[margin.name, name]:
            gap = _counted(gap, count, known)
        found.append(gap)
    return found


def _counted(gap: Gap, count: int, of: int) -> Gap:
    """With the number of people, and what follows from it."""
    counted = gap.model_copy(update={"people": count})
    share = gap.population_share
    if share is None or not of:
        return counted
    return counted.model_copy(
        update={
            "share_of": of,
            "sample_share": count / of,
            "gap_points": 100 * (count / of - share),
            "gap_people": round(count - share * of),
            "below_minimum": count < gap.minimum if share else None,
        }
    )


def _shown(sample: Sample) -> dict[tuple[str, str], bool]:
    """May the count of a margin's category be published? By name of the margin and category."""
    shown_at: dict[tuple[str, str], bool] = {}
    for linked in _linked(sample.population.margins):
        coded = [sample.codes(margin) for margin in linked]
        # The finest table that all of these counts are sums of: the combinations that occur.
        combined = np.stack([codes for _, codes in coded], axis=1)
        cells, cell_of = np.unique(combined, axis=0, return_inverse=True)
        counts = np.bincount(cell_of.ravel(), minlength=len(cells)).astype(np.int64)
        sums, keys = [np.ones(len(cells), dtype=bool)], [("", "")]
        for place, (margin, (names, _)) in enumerate(zip(linked, coded, strict=True)):
            sums += [cells[:, place] == code for code in range(len(names))]
            keys += [(margin.name, name) for name in names]
        hidden = suppress(counts, np.stack(sums), threshold=sample.population.suppress_below, fixed=1)
        shown_at |= {key: not hide for key, hide in zip(keys, hidden.tolist(), strict=True)}
    return shown_at


def _linked(margins: Sequence[Margin]) -> list[list[Margin]]:
    """Margins in groups that share no attribute."""
    found: list[list[Margin]] = []
    for margin in margins:
        touching = [group for group in found if any({*margin.attributes} & {*one.attributes} for one in group)]
        found = [group for group in found if group not in touching]
        found.append([*(one for group in touching for one in group), margin])
    return found


def _ids(table: Table, faults: list[Fault]) -> list[int]:
    seen: dict[int, int] = {}
    ids = []
    for line, cell in zip(table.lines, table.column("participant"), strict=True):
        found = as_integer(cell)
        if found is None:
            faults.append(Fault(f"participant is not a whole number: {shown(cell)}", Where(table.path, line)))
        elif found in seen:
            what = f"participant {found} is also on line {seen[found]}"
            faults.append(Fault(what, Where(table.path, line), "keep one row for each participant"))
        else:
            seen[found] = line
        ids.append(found or 0)
    return ids


def _ids_of_xids(table: Table, conversation: Conversation | None, faults: list[Fault]) -> list[int]:
    """The participant of each row; people of a panel who are not in the conversation get numbers below 0."""
    known = {one.xid: one.id for one in conversation.participants if one.xid} if conversation else {}
    if not known:
        hint = "name people by participant, or give a conversation whose import has external ids (--conversation)"
        raise InputError(
            "names people by xid, and no conversation says who that is", where=Where(table.path, 1), hint=hint
        )
    seen: dict[str, int] = {}
    for line, cell in zip(table.lines, table.column(XID), strict=True):
        if not cell.strip():
            faults.append(Fault("xid is empty", Where(table.path, line)))
        elif (first := seen.setdefault(cell.strip(), line)) != line:
            what = f"xid {shown(cell)} is also on line {first}"
            faults.append(Fault(what, Where(table.path, line), "keep one row for each participant"))
    return [known.get(cell.strip(), -1 - row) for row, cell in enumerate(table.column(XID))]


def _categories(table: Table, name: str, population: Population, faults: list[Fault]) -> list[str]:
    """A column's categories, merged. A strange answer is one fault, at its first line."""
    attribute = population.attributes[name]
    strange: dict[str, list[int]] = {}
    found = []
    for line, cell in zip(table.lines, table.column(name), strict=True):
        answer = cell.strip()
        answer = UNKNOWN if answer in attribute.unknown else attribute.merge.get(answer, answer)
        if answer != UNKNOWN and answer not in attribute.shares:
            strange.setdefault(answer, []).append(line)
        found.append(answer)
    for answer, lines in strange.items():
        rows = "1 row" if len(lines) == 1 else f"{len(lines)} rows"
        known = ", ".join([*attribute.shares, *attribute.merge])
        hint = f"categories: {known}; an answer that tells nothing belongs into `unknown`"
        faults.append(Fault(f"{name}: {shown(answer)} is no category ({rows})", Where(table.path, lines[0]), hint))
    return found
