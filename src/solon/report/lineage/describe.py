"""A row as a thing: what it says in a line, and what it carries of its origin."""

from __future__ import annotations

from solon.artifacts.atomic import to_json
from solon.collective.principles.trace import GroupVotes, StatementTrace
from solon.constitution.principles import Principle
from solon.evals.grader import Score
from solon.records import (
    Answer,
    Comparison,
    Demonstration,
    Dialogue,
    MonitorAnswer,
    Pair,
    Prompt,
    Ranking,
    Revision,
    Rollout,
)
from solon.report.lineage.records import Node, Origin, Step, Thing
from solon.report.lineage.rows import Row, RunRows
from solon.report.wording import model_title
from solon.text import excerpt

MOST = 90


def node(rows: RunRows, row: Row, *steps: Step) -> Node:
    """The thing, and where its way goes on."""
    return Node(**dict(thing(rows, row)), steps=steps)


def thing(rows: RunRows, row: Row) -> Thing:
    kept = None if row.record is None else to_json(row.record)
    return Thing(kind=row.kind, id=row.id, at=row.at, says=said(rows, row), origin=_origin(rows, row), row=kept)


def said(rows: RunRows, row: Row) -> str:
    """Example of a comparison: `a preferred with 0.83: “I will not help ...” and “First, ...”`."""
    match row.record:
        case Prompt() as prompt:
            return f"{prompt.kind}, from {prompt.source or 'nowhere that is told'}: {quoted(prompt.turns[-1].text)}"
        case Revision() as chain:
            return f"{len(chain.rounds)} rounds: {quoted(chain.initial)} became {quoted(chain.texts[-1])}"
        case Demonstration() as example:
            return f"an example to imitate ({example.source}): {quoted(example.answer)}"
        case Comparison() as one:
            return f"{_verdict(one)}: {quoted(one.a)} and {quoted(one.b)}"
        case Dialogue() as told:
            return f"preferred to the plain answer with {told.p_preferred:.2f}: {quoted(told.explanation)}"
        case Ranking() as ranking:
            best = ranking.best
            return f"{len(ranking.answers)} answers, {'none preferred' if best is None else f'best {quoted(best)}'}"
        case Pair() as pair:
            return f"not judged: {quoted(pair.a)} and {quoted(pair.b)}"
        case Rollout() as one:
            return f"step {one.step}, {_reward(one)}: {quoted(one.text)}"
        case MonitorAnswer() as one:
            return f"after step {one.step}: {quoted(one.text)}"
        case Answer() as answer:
            return quoted(answer.text)
        case Principle() as principle:
            source = f" (from {excerpt(principle.source, MOST)})" if principle.source else ""
            return f"{principle.title}{source}"
        case StatementTrace() as statement:
            return f"{quoted(statement.text)}; {'; '.join(map(_votes, statement.figures.groups))}"
        case Score() as score:
            return _graded(score)
    title = "the preference model" if row.id == "pm" else model_title(row.id)
    return f"{title}, files {rows.stages[row.stage].manifest.fingerprint[:12]}"


def quoted(text: str) -> str:
    return f"“{excerpt(' '.join(text.split()), MOST)}”"


def _verdict(one: Comparison) -> str:
    by = f"by {one.rater}, for {one.objective}"
    if one.p_a_preferred is None:
        return f"no verdict ({one.unscored}), {by}"
    side, p = ("a", one.p_a_preferred) if one.p_a_preferred >= 0.5 else ("b", 1 - one.p_a_preferred)
    return f"{side} preferred with {p:.2f}, {by}"


def _reward(one: Rollout) -> str:
    """Example of several terms: `reward 0.90 (judge 0.75, length -3.00)`; they are before their weights."""
    if not one.terms:
        return f"preference score {one.preference_score:.2f}"
    terms = (f"{name} {score:.2f}" for name, score in one.terms.items())
    return f"reward {one.preference_score:.2f} ({', '.join(terms)})"


def _votes(group: GroupVotes) -> str:
    return f"group {group.group}: {group.agrees} agree, {group.disagrees} disagree of {group.votes} votes"


def _graded(score: Score) -> str:
    if score.values is None:
        return f"{score.grader}: unscored, {score.unscored}"
    found = ", ".join(f"{name} {value:g}" for name, value in score.values.items() if value)
    return f"{score.grader}: {found or 'nothing found'}"


def _origin(rows: RunRows, row: Row) -> Origin | None:
    """Of what stages made; None of principles and statements, which came into the run as they are."""
    if (found := rows.stages.get(row.stage)) is None:
        return None
    manifest, principles = found.manifest, principle_ids(row)
    kept = rows.constitution if principles else None
    return Origin(
        stage=manifest.stage,
        models=_models(rows, row),
        seed=manifest.seed,
        principle_ids=principles,
        constitution_sha256=kept and kept.sha256,
        constitution_is_the_stages=rows.is_of(row.stage) if principles else None,
        prompt_hashes=_hashes(row),
    )


def principle_ids(row: Row) -> tuple[str, ...]:
    """Of the principles that it was made under, each once."""
    match row.record:
        case Revision() as chain:
            gates = (step.gate.principle_id for step in chain.rounds if step.gate and step.gate.principle_id)
            return tuple(dict.fromkeys((*(step.principle_id for step in chain.rounds), *gates)))
        case Comparison() as one:
            return one.principle_ids
        case Dialogue() | Ranking() as made:
            return (made.principle_id,)
        case Prompt(principle_id=str(name)):
            return (name,)
    return ()


def _hashes(row: Row) -> tuple[str, ...]:
    match row.record:
        case Revision() as chain:
            found = (each for step in chain.rounds for each in (step.critique_hash, step.prompt_hash))
            return tuple(filter(None, found))
        case Comparison() as one:
            return (one.prompt_hash,) if one.prompt_hash else ()
    return ()


def _models(rows: RunRows, row: Row) -> dict[str, str]:
    """As the stage's manifest names them; of what RL sampled, the model in training and the one that rewards it."""
    manifest = rows.stages[row.stage].manifest
    engines = manifest.facts.get("engines")
    found = {str(role): str(name) for role, name in engines.items()} if isinstance(engines, dict) else {}
    if isinstance(row.record, Rollout):
        found = {"rl": f"in training, before step {row.record.step}"}
        if "pm" in manifest.inputs:
            found["pm"] = manifest.inputs["pm"]
    if row.kind == "model":
        found = {name: sha256 for name, sha256 in manifest.inputs.items() if name.endswith(".safetensors")}
        found |= {one.id: manifest.inputs[one.id] for one in rows.of("model") if one.id in manifest.inputs}
    return found
