"""Statements become a constitution: chosen by consensus, quoted in templates, each with its statements and votes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from solon.artifacts.atomic import canonical_json
from solon.collective.conversation import Conversation
from solon.collective.opinion.consensus import DRAWS, MIN_GROUP_VOTES, consensus_of
from solon.collective.opinion.results import Groups
from solon.collective.output import require_free
from solon.collective.phrases import many
from solon.collective.principles.merges import Idea, Ideas, MergeFile, ideas_of
from solon.collective.principles.selection import (
    Reason,
    Rule,
    Selection,
    admissible,
    choose,
    curve,
    lowest_of,
    rejected_as_well,
    rule_in_words,
)
from solon.collective.principles.topics import SIMILAR, near_duplicates, vectors_of
from solon.collective.principles.trace import Figures, GroupTrace, PrincipleTrace, StatementTrace, Trace, trace_path
from solon.collective.principles.wording import Stance, odd, one_line, title_of, unusable, word
from solon.collective.tables import write_file
from solon.constitution.lint import Finding, remarks
from solon.constitution.lists import list_toml
from solon.constitution.principles import Constitution, ConstitutionFile, Principle
from solon.errors import InputError, Where


@dataclass(frozen=True, kw_only=True)
class PublicConstitution:
    """A constitution made from public input, not yet written."""

    constitution: Constitution
    trace: Trace
    findings: tuple[Finding, ...]


@dataclass(frozen=True, kw_only=True)
class Candidates:
    """The ideas of a conversation, measured, and which of them a rule chooses."""

    kept: Conversation
    """Of the statements that moderation lets through."""
    ideas: Ideas
    chosen: Selection
    reasons: dict[int, Reason]
    """By statement: why it went into no principle."""
    note: str
    """Of moderation; or empty."""

    @property
    def in_order(self) -> list[int]:
        """Positions of the chosen ideas as their principles stand: those that a person placed, then by consensus."""
        place = {number: at for at, number in enumerate(self.ideas.order)}
        return sorted(self.chosen.positions, key=lambda at: place.get(self.ideas.ideas[at].id, len(place)))


def candidates_of(
    conversation: Conversation,
    groups: Groups,
    rule: Rule,
    merges: MergeFile | None = None,
    *,
    draws: int = DRAWS,
    seed: int = 0,
) -> Candidates:
    """What may become principles. `merges` has been read for this conversation; `draws`: as for `consensus_of`."""
    kept, reasons, note = admissible(conversation, include_unmoderated=rule.include_unmoderated)
    ideas = ideas_of(kept, merges)
    refused = {at: why for at, idea in enumerate(ideas.ideas) if (why := unusable(idea.text))}
    how: dict[str, Any] = {"smoothing": rule.smoothing, "minimum": rule.minimum_votes, "draws": draws, "seed": seed}
    barred = {at: Reason(code="not-worded", detail=why) for at, why in refused.items()}
    chosen = choose(consensus_of(ideas.conversation, groups, **how), rule, barred)
    return Candidates(kept=kept, ideas=ideas, chosen=chosen, reasons=reasons | _reasons(ideas, chosen), note=note)


def assemble(
    conversation: Conversation,
    groups: Groups,
    rule: Rule,
    *,
    name: str,
    title: str = "",
    merges: MergeFile | None = None,
    seed: int = 0,
) -> PublicConstitution:
    """The constitution for a rule. `merges` has been read for this conversation.

    Raises InputError if no idea passes; it says how near the nearest came.
    """
    found = candidates_of(conversation, groups, rule, merges, seed=seed)
    kept, chosen = found.kept, found.chosen
    if not chosen.positions:
        what, hint = _why_empty(found.ideas, chosen)
        raise InputError(what, hint=hint)
    rows, heavy = _ranked(found, rule)
    constitution = Constitution(
        name=name,
        title=one_line(title) or one_line(conversation.topic)[:120] or "Principles from public input",
        description=_description(conversation, groups, rule, merges, len(rows)),
        principles=tuple(_principle(row, kept, merges) for row in rows),
    )
    asked = (_few_asked(rule, groups), _not_to_be_had(chosen), rejected_as_well(chosen))
    notes = (found.note, heavy, *asked, _undecided(rows, merges))
    trace = Trace(
        constitution=name,
        constitution_sha256=constitution.sha256,
        topic=conversation.topic,
        participants=len(conversation.participants),
        statements_total=len(conversation.statements),
        votes_total=int(conversation.seen_PS.sum()),
        groups=tuple(GroupTrace(name=one, members=size) for one, size in zip(groups.names, groups.sizes, strict=True)),
        groups_method=groups.method,
        in_no_group=len(conversation.participants) - sum(groups.sizes),
        rule=rule,
        threshold_in_force=rule.least,
        curve=curve(chosen),
        numbers=lowest_of(chosen),
        merges_made_by=merges.made_by if merges else "",
        notes=(*groups.notes, *filter(None, notes)),
        principles=rows,
        merges=merges.merge if merges else (),
        statements=tuple(_statements(conversation, groups, rule, rows, found.reasons)),
    )
    remarked = remarks(ConstitutionFile(constitution=constitution, path=Path(f"{name}.toml"), lines={}))
    return PublicConstitution(constitution=constitution, trace=trace, findings=remarked)


def _ranked(found: Candidates, rule: Rule) -> tuple[tuple[PrincipleTrace, ...], str]:
    """The chosen ideas with their weights, as their principles stand; and what there is to say of the weights."""
    ideas, chosen = found.ideas.ideas, found.chosen
    weights, heavy = _weights([float(chosen.value_I[at]) for at in chosen.positions], rule)
    ranked = enumerate(zip(chosen.positions, weights, strict=True), start=1)
    rows = {at: _row(ideas[at], chosen, at, rank, weight) for rank, (at, weight) in ranked}
    return tuple(rows[at] for at in found.in_order), heavy


def write_constitution(assembled: PublicConstitution, out: Path, *, force: bool = False) -> tuple[Path, Path]:
    """Writes the constitution and, beside it, its trace. Raises InputError if one of them exists and `force` is off, if
    the name does not end with `.toml`, as constitutions do, or if it cannot be written there.
    """
    if out.suffix != ".toml":
        raise InputError("is no name for a list of principles", where=Where(out), hint=f"call it {out.stem}.toml")
    beside = trace_path(out)
    require_free(out, beside, force=force)
    trace = assembled.trace.model_copy(update={"constitution": out.name})
    write_file(beside, canonical_json(trace, indent=1))
    write_file(out, list_toml(assembled.constitution).encode("utf-8"))
    return out, beside


def _why_empty(ideas: Ideas, chosen: Selection) -> tuple[str, str]:
    rule = chosen.rule
    if not ideas.ideas:
        return "no statement is left to choose from", "see --include-unmoderated"
    low = [at for at, reason in chosen.reasons.items() if reason.code == "low-consensus"]
    if not low:
        what = f"no statement has {many(max(rule.minimum_votes, 1), 'vote')} in every group and can be worded"
        return what, "lower --minimum-votes, or ask for fewer groups with --k"
    best = max(low, key=lambda at: chosen.value_I[at])
    nearest = f"the nearest is {ideas.ideas[best].id} with {chosen.value_I[best]:.3f}"
    if not chosen.ranked:
        what = f"no statement has a majority in every group; {nearest}"
        hint = "ask for fewer groups with --k, or add --no-majority"
    else:
        what = f"no statement reaches {rule.least:g}; {nearest}"
        threshold_of = {one.ideas: one.threshold for one in reversed(curve(chosen)) if one.ideas}
        table = ", ".join(f"{least:g} gives {ideas}" for ideas, least in sorted(threshold_of.items()))
        hint = "; ".join(
            filter(None, (f"lower --threshold: {table}" if table else "", "ask for a number with --ideas"))
        )
    rejected = rejected_as_well(chosen)
    return what, f"{hint}. {rejected.removesuffix('.')}" if rejected else hint


def _not_to_be_had(chosen: Selection) -> str:
    wanted, found = chosen.rule.ideas or 0, len(chosen.positions)
    return f"{many(wanted, 'idea')} were asked for; {found} could be had." if found < wanted else ""


def _weights(values: Sequence[float], rule: Rule) -> tuple[list[float], str]:
    """By consensus, if the rule says so, and a note if one weighs more than all others together: it gets theirs."""
    if not rule.weighted:
        return [1.0] * len(values), ""
    weights = [round(max(value, 0.0001), 4) for value in values]
    others = round(sum(weights[1:]), 4)
    if len(weights) < 3 or weights[0] <= others:
        return weights, ""
    note = "The first principle would be drawn more often than all others together; its weight is theirs."
    return [others, *weights[1:]], note


def _row(idea: Idea, chosen: Selection, at: int, rank: int, weight: float) -> PrincipleTrace:
    stance: Stance = "rejected" if chosen.rejected_I[at] else "agreed"
    return PrincipleTrace(
        id=_id(idea.id),
        title=title_of(idea.text, stance),
        stance=stance,
        statements=idea.statement_ids,
        merge=idea.merge,
        text=idea.text,
        worded_by="person" if idea.by_person else "template",
        remarks=odd(idea.text),
        figures=Figures.of(chosen.consensus, at),
        rank=rank,
        weight=weight,
    )


def _principle(traced: PrincipleTrace, kept: Conversation, merges: MergeFile | None) -> Principle:
    texts = {one.id: one.text for one in kept.statements}
    how = "public input: "
    how += "; ".join(f"statement {number} “{one_line(texts[number])}”" for number in traced.statements)
    if traced.merge:
        how += f"; made one by {traced.merge}, each person counted once"
    if traced.worded_by == "person":
        how += f"; worded by a person: “{one_line(traced.text)}”"
    topics = [one for one in (merges.topic if merges else ()) if traced.id in map(_id, one.statements)]
    fields: Mapping[str, object] = {
        "id": traced.id,
        "title": traced.title,
        **word(traced.text, traced.stance),
        "weight": traced.weight,
        "tags": tuple(filter(None, (_tag(one.name) for one in topics))),
        "source": f"{how}; {traced.figures.in_words(traced.stance)}",
    }
    return Principle.model_validate(fields)


def _statements(
    conversation: Conversation,
    groups: Groups,
    rule: Rule,
    rows: Sequence[PrincipleTrace],
    reasons: Mapping[int, Reason],
) -> Iterator[StatementTrace]:
    """All of them, left out or not, with their votes. `reasons`: of those that went into no principle."""
    measured = consensus_of(conversation, groups, smoothing=rule.smoothing, minimum=rule.minimum_votes, draws=0)
    became = {number: row.id for row in rows for number in row.statements}
    for at, one in enumerate(conversation.statements):
        assert (one.id in became) != (one.id in reasons), "each has either a principle or a reason"
        yield StatementTrace(
            **one.model_dump(include={"id", "text", "author", "moderated", "is_seed"}),
            figures=Figures.of(measured, at),
            became=became.get(one.id),
            left_out=reasons.get(one.id),
        )


def _id(statement: int) -> str:
    return f"statement-{statement}"


def _tag(name: str) -> str:
    """A topic's name as one word; empty if it has no plain letters. Never like an id of ours."""
    plain = "".join(char if char.isascii() and char.isalnum() else " " for char in name.lower())
    return "topic-" + "-".join(plain.split()) if plain.strip() else ""


def _description(conversation: Conversation, groups: Groups, rule: Rule, merges: MergeFile | None, count: int) -> str:
    """What somebody who has nothing but the constitution should know of how it was made."""
    topic = one_line(conversation.topic)
    about = f" on “{topic}”" if topic else ""
    decided = [one.decision for one in merges.merge] if merges else []
    merged = f"{decided.count('yes')} accepted, {decided.count('no')} declined, {decided.count('')} not decided"
    return (
        f"Made from public input{about}: {many(count, 'principle')} from "
        f"{many(len(conversation.statements), 'statement')}, voted on by "
        f"{many(len(conversation.participants), 'participant')}. {groups_in_words(groups)} "
        f"Rule: {rule_in_words(rule)}. Merges: {merged if merges else 'none'}."
    )


def groups_in_words(groups: Groups) -> str:
    """`Opinion groups: 2, found by method polis (group 0: 60, group 1: 40 people).`"""
    how = {"stored": "from stored mathematics", "exported": "from the export", "given": "given in a table"}
    sizes = [f"group {one_line(name)}: {size}" for name, size in zip(groups.names, groups.sizes, strict=True)]
    return (
        f"Opinion groups: {groups.k}, {how.get(groups.method, f'found by method {groups.method}')} "
        f"({', '.join(sizes)} people)."
    )


def _few_asked(rule: Rule, groups: Groups) -> str:
    if rule.minimum_votes >= MIN_GROUP_VOTES:
        return ""
    return (
        f"Only {many(max(rule.minimum_votes, 1), 'vote')} of every group were asked for, where {MIN_GROUP_VOTES} are "
        f"usual; the smallest group has {min(groups.sizes)} people. Look at the intervals before you trust a principle."
    )


def _undecided(rows: Sequence[PrincipleTrace], merges: MergeFile | None) -> str:
    """Of principles that seem to say the same, though nobody has decided so; empty: there are none."""
    if merges is None:
        near = near_duplicates(vectors_of([row.text for row in rows]), SIMILAR)
        found = [[rows[at].statements[0] for at in one.members] for one in near]
        remedy = "Write proposals with `solon collect topics`, decide with `solon collect merge`, and give --merges."
    else:
        row_of = {number: row.id for row in rows for number in row.statements}
        undecided = [[cited.id for cited in merge.statements] for merge in merges.merge if not merge.decision]
        found = [those for those in undecided if len({row_of[one] for one in those if one in row_of}) > 1]
        remedy = "Decide with `solon collect merge`."
    if not found:
        return ""
    return (
        f"{many(len(found), 'set')} of principles may say the same, such as statements "
        f"{' and '.join(map(str, found[0]))}, and weigh double as long as they stand apart. {remedy}"
    )


def _reasons(ideas: Ideas, chosen: Selection) -> dict[int, Reason]:
    """By statement."""
    of_ideas = {number: reason for at, reason in chosen.reasons.items() for number in ideas.ideas[at].statement_ids}
    return {**ideas.left_out, **of_ideas}
