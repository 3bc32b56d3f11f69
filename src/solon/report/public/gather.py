"""Reads everything a public report is made from."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from solon.collective.cleaning.removing import REMOVALS
from solon.collective.conversation import Conversation
from solon.collective.csv_text import raise_faults, read_text, shown
from solon.collective.opinion.analysis import analyse
from solon.collective.opinion.given_groups import EXPORTED, FOUND, exported_beside, given_groups
from solon.collective.opinion.grouping import Method
from solon.collective.opinion.stability import opinion_of
from solon.collective.reading.folder import open_conversation
from solon.collective.tables import read_csv
from solon.errors import Fault, InputError, Where
from solon.report.public.inputs import PublicInput, Removed, Words
from solon.report.public.language import ENGLISH, Language

if TYPE_CHECKING:
    from solon.collective.people.sample import Sample
    from solon.collective.principles.trace import Trace
    from solon.constitution.principles import Constitution


@dataclass(frozen=True, kw_only=True)
class Sources:
    """Files and choices; None: there is none."""

    folder: Path
    groups: str = FOUND
    """`found`, `exported`, or a table with the columns `participant` and `group`."""
    k: int | None = None
    method: Method = "polis"
    seed: int = 0
    constitution: Path | None = None
    population: Path | None = None
    attributes: Path | None = None
    removals: Path | None = None
    stability: bool = True
    words: Words = field(default_factory=Words)
    language: Language = ENGLISH
    """Of the page."""


def gather(sources: Sources) -> PublicInput:
    """Open, clean, analyse, compare.

    Raises InputError for whatever cannot be used, with file and line.
    """
    imported = open_conversation(sources.folder)
    talk = imported.conversation
    removed: tuple[Removed, ...] = ()
    removals = sources.removals
    if removals is None and (beside := sources.folder / REMOVALS).is_file():
        removals = beside  # the folder is one that `solon collect clean` wrote
    if removals:
        talk, removed = without_removed(talk, removals)
    given = given_groups(sources.groups, talk)
    opinion = opinion_of(talk, groups=given, k=sources.k, method=sources.method, seed=sources.seed)
    analysis = analyse(talk, groups=opinion.groups)
    constitution, trace = read_traced(sources.constitution, talk) if sources.constitution else (None, None)
    stable = sources.stability and analysis.groups.k > 1
    return PublicInput(
        analysis=analysis,
        words=sources.words,
        language=sources.language,
        seed=sources.seed,
        sample=read_sample(sources.population, sources.attributes, talk),
        findings=imported.findings,
        stability=opinion.stability if stable else None,
        exported=None if opinion.groups.method == EXPORTED else exported_beside(talk, opinion.groups),
        removed=removed,
        constitution=constitution,
        trace=trace,
    )


def without_removed(talk: Conversation, path: Path) -> tuple[Conversation, tuple[Removed, ...]]:
    """The conversation without the people and statements of a table that `solon collect clean` wrote.

    Those that are not in the conversation any more count as removed before. Raises InputError with the line, for a row
    that is neither a participant nor a statement.
    """
    table = read_csv(path)
    table.require("rule", "kind", "id", "reason")
    faults = []
    ids: dict[str, list[int]] = {"participant": [], "statement": []}
    counts: Counter[tuple[str, str, str]] = Counter()
    for row in table:
        number = row.integer("id")
        if row["kind"] not in ids:
            faults.append(Fault(f"kind is {shown(row['kind'])}", row.where, "write participant or statement"))
            continue
        ids[row["kind"]].append(number)
        counts[row["rule"], row["reason"], row["kind"]] += 1
    raise_faults(faults, path)
    people = ~np.isin(talk.participant_ids, ids["participant"])
    statements = ~np.isin(talk.statement_ids, ids["statement"])
    removed = tuple(
        Removed(rule=rule, reason=reason, kind=kind, count=count) for (rule, reason, kind), count in counts.items()
    )
    return talk.select(participants=people, statements=statements), removed


def read_traced(path: Path, talk: Conversation) -> tuple[Constitution, Trace]:
    """A constitution and its trace, which lies beside it.

    Raises InputError if there is no trace, if it cannot be read, or if it belongs to another conversation.
    """
    from solon.collective.principles.trace import Trace, trace_path
    from solon.constitution.load import load_constitution

    constitution = load_constitution(path)
    beside = trace_path(path)
    if not beside.is_file():
        hint = "make the constitution with `solon collect principles`, and keep the trace beside it"
        raise InputError(f"has no trace {beside.name} beside it", where=Where(path), hint=hint)
    try:
        trace = Trace.model_validate_json(read_text(beside))
    except ValueError as error:
        first = " ".join(str(error).split("\n")[:3])
        raise InputError(f"is no trace of a constitution: {first}", where=Where(beside)) from None
    texts = {one.id: one.text for one in talk.statements}
    strange = [one.id for one in trace.statements if one.became and texts.get(one.id) != one.text]
    if strange:
        what = f"is of another conversation: statement {strange[0]} has another text here, or none"
        raise InputError(what, where=Where(beside), hint="give the constitution that was made from this folder")
    return constitution, trace


def read_sample(population: Path | None, attributes: Path | None, talk: Conversation) -> Sample | None:
    """Those who voted with their attributes, beside the population; None if neither file is given."""
    if population is None and attributes is None:
        return None
    if population is None or attributes is None:
        raise InputError(
            "a population without attributes, or attributes without a population, cannot be compared",
            hint="give both --population and --attributes, or neither",
        )
    from solon.collective.people.population import load_population
    from solon.collective.people.sample import of_voters, read_attributes

    return of_voters(read_attributes(attributes, load_population(population), talk), talk)
