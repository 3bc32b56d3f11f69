"""Statements become a constitution: chosen by consensus, worded by templates, each with its statements and votes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NoReturn

from solon.artifacts.atomic import canonical_json
from solon.collective.conversation import Conversation
from solon.collective.opinion.consensus import MIN_GROUP_VOTES, consensus_of
from solon.collective.opinion.results import Groups
from solon.collective.phrases import many
from solon.collective.principles.figures import figures_of, in_words
from solon.collective.principles.ideas import Idea, Ideas, ideas_of
from solon.collective.principles.merges import MergeFile
from solon.collective.principles.neutral import one_line
from solon.collective.principles.saying import Saying, is_about_ai, read_saying
from solon.collective.principles.selection import Chosen, Reason, Rule, admissible, choose, rule_in_words
from solon.collective.principles.topics import SIMILAR, near_duplicates, vectors_of
from solon.collective.principles.trace import Figures, PrincipleTrace, Trace, trace_path
from solon.collective.principles.tracing import Material, make_trace
from solon.collective.principles.wording import Worded, unusable, word_all
from solon.collective.tables import write_file
from solon.constitution.lint import HEAVY, Finding, remarks
from solon.constitution.principles import Constitution, Principle
from solon.constitution.sourced import Sourced
from solon.constitution.writing import list_toml
from solon.errors import Fault, InputError, Where

TIE_BREAK = (
    "No principle says a word for being helpful or against refusing, so every comparison question prefers the more "
    "useful of two responses that are level: a model that is only told what to avoid learns to refuse."
)


@dataclass(frozen=True, kw_only=True)
class Assembled:
    """A constitution made from public input, not yet written."""

    constitution: Constitution
    trace: Trace
    notes: tuple[str, ...]
    """What a person has to know about it."""
    findings: tuple[Finding, ...]
    """What the linter says."""


@dataclass(frozen=True, kw_only=True)
class _Row:
    """An idea that becomes a principle."""

    idea: Idea
    saying: Saying
    worded: Worded
    figures: Figures
    value: float
    """By the measure of the rule."""
    weight: float = 1.0


def assemble(
    conversation: Conversation,
    groups: Groups,
    rule: Rule,
    *,
    name: str,
    title: str = "",
    merges: MergeFile | None = None,
    seed: int = 0,
) -> Assembled:
    """The constitution for a rule. `merges` has been checked against the conversation (`check_merges`).

    Raises:
        InputError: if no idea passes; it says how near the nearest came.
    """
    kept, reasons, unmoderated = admissible(conversation, include_unmoderated=rule.include_unmoderated)
    ideas = ideas_of(kept, merges)
    about_ai = is_about_ai([one.text for one in kept.statements])
    sayings = [read_saying(idea.text, about_ai=about_ai) for idea in ideas.ideas]
    rows, chosen, tie_break = _chosen_rows(ideas, sayings, groups, rule, seed)
    if not rows:
        _raise_empty(ideas, chosen, rule, conversation)
    rows, heavy = _weighted(rows, rule)
    constitution = Constitution(
        name=name,
        title=one_line(title) or one_line(conversation.topic)[:120] or "Principles from public input",
        description=_description(conversation, groups, rule, merges, len(rows)),
        principles=tuple(_principle(row, kept, merges) for row in rows),
    )
    told = (unmoderated, _few_asked(rule, groups), TIE_BREAK if tie_break else "", heavy, *_undecided(rows, merges))
    notes = tuple(one for one in told if one)
    material = Material(
        conversation=conversation,
        groups=groups,
        rule=rule,
        merges=merges,
        reasons=reasons | _reasons(ideas, chosen),
        principles=tuple(_traced(row, rank) for rank, row in enumerate(rows, start=1)),
        notes=notes,
    )
    found = remarks(Sourced(constitution=constitution, path=Path(f"{name}.toml"), lines={}))
    return Assembled(constitution=constitution, trace=make_trace(material, constitution), notes=notes, findings=found)


def write_assembled(assembled: Assembled, out: Path, *, force: bool = False) -> tuple[Path, Path]:
    """Writes the constitution and, beside it, its trace, each whole or not at all.

    Raises InputError if one of them exists and `force` is off, if the name does not end with `.toml`, as
    constitutions do, or if it cannot be written there.
    """
    if out.suffix != ".toml":
        raise InputError("is no name for a list of principles", where=Where(out), hint=f"call it {out.stem}.toml")
    beside = trace_path(out)
    taken = [path for path in (out, beside) if path.exists()]
    if taken and not force:
        hint = "choose another name, or add --force to overwrite it"
        raise InputError([Fault("exists already", Where(path), hint) for path in taken])
    trace = assembled.trace.model_copy(update={"constitution": out.name})
    write_file(beside, canonical_json(trace, indent=1))
    write_file(out, list_toml(assembled.constitution).encode("utf-8"))
    return out, beside


def _chosen_rows(
    ideas: Ideas, sayings: Sequence[Saying], groups: Groups, rule: Rule, seed: int
) -> tuple[list[_Row], Chosen, bool]:
    """The ideas chosen and worded, highest consensus first; what was chosen; whether questions have a tie-break."""
    consensus = consensus_of(
        ideas.conversation, groups, smoothing=rule.smoothing, minimum=rule.minimum_votes, seed=seed
    )
    refused = {at: why for at, saying in enumerate(sayings) if (why := unusable(saying))}
    barred = {at: Reason(code="not-worded", detail=why) for at, why in refused.items()}
    chosen = choose(consensus, rule, barred)
    worded, tie_break = word_all([sayings[at] for at in chosen.positions])
    rows = []
    for at, texts in zip(chosen.positions, worded, strict=True):
        if texts.refused:
            chosen.reasons[at] = Reason(code="not-worded", detail=texts.refused)
            continue
        figures = figures_of(consensus, at)
        value = float(chosen.value_I[at])
        rows.append(_Row(idea=ideas.ideas[at], saying=sayings[at], worded=texts, figures=figures, value=value))
    return rows, chosen, tie_break


def _raise_empty(ideas: Ideas, chosen: Chosen, rule: Rule, conversation: Conversation) -> NoReturn:
    where = Where(conversation.source) if conversation.source else None
    if not ideas.ideas:
        raise InputError("no statement is left to choose from", where=where, hint="see --include-unmoderated")
    low = [at for at, reason in chosen.reasons.items() if reason.code == "low-consensus"]
    if low:
        best = max(low, key=lambda at: chosen.value_I[at])
        nearest = f"the nearest is {ideas.ideas[best].id} with {chosen.value_I[best]:.3f}"
        what = f"no statement reaches {rule.least:g}; {nearest}"
        raise InputError(what, where=where, hint="lower --threshold, or ask for a number with --ideas")
    what = f"no statement has {many(max(rule.minimum_votes, 1), 'vote')} in every group and can be worded"
    raise InputError(what, where=where, hint="lower --minimum-votes, or ask for fewer groups with --k")


def _weighted(rows: list[_Row], rule: Rule) -> tuple[list[_Row], str]:
    """Weights by consensus, if the rule says so; none outweighs the others together."""
    if not rule.weighted:
        return rows, ""
    rows = [replace(row, weight=round(max(row.value, 0.0001), 4)) for row in rows]
    total = sum(row.weight for row in rows)
    heavy = [at for at, row in enumerate(rows) if len(rows) >= 3 and row.weight > HEAVY * total]
    for at in heavy:
        others = round(total - rows[at].weight, 4)
        note = (
            f"Principle {_id(rows[at].idea)} would be drawn more often than all others together; its weight is theirs."
        )
        rows[at] = replace(rows[at], weight=others)
        return rows, note
    return rows, ""


def _id(idea: Idea) -> str:
    return f"statement-{idea.id}"


def _principle(row: _Row, kept: Conversation, merges: MergeFile | None) -> Principle:
    texts = {one.id: one.text for one in kept.statements}
    said = [f"statement {number} “{one_line(texts[number])}”" for number in row.idea.statement_ids]
    how = "public input: " + "; ".join(said)
    if row.idea.merge:
        how += f"; made one by {row.idea.merge}, each person counted once"
    if row.idea.by_person:
        how += f"; worded by a person: “{one_line(row.idea.text)}”"
    tags = [_tag(topic.name) for topic in (merges.topic if merges else ()) if row.idea.id in topic.statements]
    fields = {
        "id": _id(row.idea),
        "title": row.worded.title,
        **row.worded.texts,
        "weight": row.weight,
        "tags": tuple(tag for tag in tags if tag),
        "source": f"{how}; {in_words(row.figures)}",
    }
    return Principle.model_validate(fields)


def _tag(name: str) -> str:
    """A topic's name as one word; empty if it has no plain letters. Never like an id of ours."""
    plain = "".join(char if char.isascii() and char.isalnum() else " " for char in name.lower())
    return "topic-" + "-".join(plain.split()) if plain.strip() else ""


def _description(conversation: Conversation, groups: Groups, rule: Rule, merges: MergeFile | None, count: int) -> str:
    """What somebody who has nothing but the constitution should know of how it was made."""
    topic = one_line(conversation.topic)
    about = f" on “{topic}”" if topic else ""
    return (
        f"Made from public input{about}: {many(count, 'principle')} from "
        f"{many(len(conversation.statements), 'statement')}, voted on by "
        f"{many(len(conversation.participants), 'participant')}. {groups_in_words(groups)} "
        f"Rule: {rule_in_words(rule)}. {_merges_in_words(merges)}"
    )


def groups_in_words(groups: Groups) -> str:
    """`Opinion groups: 2 by method polis (group 0: 60 people, group 1: 40).`"""
    how = {"stored": "from stored mathematics", "exported": "from the export", "given": "given in a table"}
    sizes = [f"group {one_line(name)}: {size}" for name, size in zip(groups.names, groups.sizes, strict=True)]
    return (
        f"Opinion groups: {groups.k}, {how.get(groups.method, f'found by method {groups.method}')} "
        f"({', '.join(sizes)} people)."
    )


def _merges_in_words(merges: MergeFile | None) -> str:
    if merges is None:
        return "Merges: none."
    decided = [one.decision for one in merges.merge]
    return f"Merges: {decided.count('yes')} accepted, {decided.count('no')} declined, {decided.count('')} not decided."


def _few_asked(rule: Rule, groups: Groups) -> str:
    if rule.minimum_votes >= MIN_GROUP_VOTES:
        return ""
    return (
        f"Only {many(max(rule.minimum_votes, 1), 'vote')} of every group were asked for, where {MIN_GROUP_VOTES} are "
        f"usual; the smallest group has {min(groups.sizes)} people. Look at the intervals before you trust a principle."
    )


def _undecided(rows: Sequence[_Row], merges: MergeFile | None) -> list[str]:
    """Principles that seem to say the same, though nobody has decided so."""
    position = {number: at for at, row in enumerate(rows) for number in row.idea.statement_ids}
    if merges is None:
        sayings = [row.saying for row in rows]
        near = near_duplicates(vectors_of(sayings), sayings, SIMILAR)
        found = [[rows[at].idea.id for at in one.members] for one in near]
        remedy = "Write proposals with `solon collect topics`, decide with `solon collect merge`, and give --merges."
    else:
        undecided = [[cited.id for cited in merge.statements] for merge in merges.merge if not merge.decision]
        found = [those for those in undecided if len({position[one] for one in those if one in position}) > 1]
        remedy = "Decide with `solon collect merge`."
    if not found:
        return []
    example = " and ".join(str(number) for number in found[0])
    return [
        f"{many(len(found), 'set')} of principles may say the same, such as statements {example}, and weigh double as "
        f"long as they stand apart. {remedy}"
    ]


def _reasons(ideas: Ideas, chosen: Chosen) -> dict[int, Reason]:
    """By statement."""
    found = {
        number: Reason(code="left-out-by-person", detail=note or "left out by a person in the merges file")
        for number, note in ideas.left_out.items()
    }
    for at, reason in chosen.reasons.items():
        found |= dict.fromkeys(ideas.ideas[at].statement_ids, reason)
    return found


def _traced(row: _Row, rank: int) -> PrincipleTrace:
    return PrincipleTrace(
        id=_id(row.idea),
        title=row.worded.title,
        statements=row.idea.statement_ids,
        merge=row.idea.merge,
        text=row.idea.text,
        worded_by="person" if row.idea.by_person else "template",
        remarks=row.worded.remarks,
        figures=row.figures,
        rank=rank,
        weight=row.weight,
    )
