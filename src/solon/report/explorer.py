"""The rows that the page lets its reader browse, as plain JSON data.

A page that holds every row of a long run would be slow to open, so each list has a cap; what is shown is spread evenly
over the list, and the page says how many there are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from pydantic import JsonValue

from solon.evals.answers import AnswerScore
from solon.records import Comparison, Prompt, Revision, Rollout
from solon.report.data import ReportData

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Most rows of each list that one page holds. Assumption: the page stays below about 4 MB."""

    chains: int = 600
    answers: int = 600
    """Prompts, each with the answers of all models."""
    comparisons: int = 800
    rollouts: int = 1600


def spread(rows: Sequence[T], most: int) -> list[T]:
    """At most `most` rows, evenly spaced, the first included. Example: 2 of a, b, c, d are a and c."""
    if len(rows) <= most:
        return list(rows)
    return [rows[k * len(rows) // most] for k in range(most)]


def explorer_data(data: ReportData, limits: Limits) -> dict[str, JsonValue]:
    """Prompts, principles and the four lists. Texts are as the models wrote them: untrusted."""
    grades = {(s.round, s.prompt_id): _grade(s) for s in data.answers if s.model == "assistant"}
    chains = spread(data.revisions, limits.chains)
    evaluated = _side_by_side(data.answers)
    prompt_ids = spread(list(evaluated), limits.answers)
    comparisons = spread(data.comparisons, limits.comparisons)
    rollouts = spread(data.rollouts, limits.rollouts)
    used = [*(c.prompt_id for c in chains), *prompt_ids]
    used += [*(c.prompt_id for c in comparisons), *(r.prompt_id for r in rollouts)]
    return {
        "prompts": {name: _prompt(data.prompts[name]) for name in dict.fromkeys(used) if name in data.prompts},
        "principles": _principles(data),
        "lists": {
            "chains": _listed([_chain(row, grades) for row in chains], len(data.revisions)),
            "answers": _listed([evaluated[name] for name in prompt_ids], len(evaluated)),
            "comparisons": _listed([_comparison(row) for row in comparisons], len(data.comparisons)),
            "rollouts": _listed([_rollout(row) for row in rollouts], len(data.rollouts)),
        },
    }


def _listed(rows: list[JsonValue], total: int) -> JsonValue:
    return {"rows": rows, "total": total}


def _prompt(prompt: Prompt) -> JsonValue:
    return {"kind": prompt.kind, "source": prompt.source, "turns": [[turn.role, turn.text] for turn in prompt.turns]}


def _principles(data: ReportData) -> JsonValue:
    if data.constitution is None:
        return {}
    return {
        p.id: {
            "title": p.title,
            "critique": p.critique_request,
            "revision": p.revision_request,
            "comparison": p.comparison_question,
        }
        for p in data.constitution.principles
    }


def _grade(score: AnswerScore) -> JsonValue:
    """Faults, merits and categories of harm; None if nobody knows."""
    if score.grade is None:
        return None
    faults: list[JsonValue] = [*score.grade.faults()]
    merits: list[JsonValue] = [name for name in ("helpful", "objection") if getattr(score.grade, name)]
    harms: list[JsonValue] = [*sorted(set(score.grade.harms))]
    return {"faults": faults, "merits": merits, "harms": harms}


def _chain(row: Revision, grades: dict[tuple[int | None, str], JsonValue]) -> JsonValue:
    first: JsonValue = {"text": row.initial, "grade": grades.get((0, row.prompt_id))}
    steps: list[JsonValue] = [first]
    for number, step in enumerate(row.rounds, start=1):
        steps.append(
            {
                "text": step.revision,
                "critique": step.critique,
                "principle": step.principle_id,
                "hash": step.prompt_hash,
                "cut": not step.finished,
                "grade": grades.get((number, row.prompt_id)),
            }
        )
    return {"id": row.id, "prompt": row.prompt_id, "steps": steps}


def _side_by_side(answers: Sequence[AnswerScore]) -> dict[str, JsonValue]:
    """Prompt id to the answers of the evaluated models."""
    found: dict[str, dict[str, JsonValue]] = {}
    for score in answers:
        if score.model != "assistant":
            answer: JsonValue = {"text": score.text, "grade": _grade(score), "cut": not score.finished}
            found.setdefault(score.prompt_id, {})[score.model] = answer
    return {name: {"id": name, "prompt": name, "models": models} for name, models in found.items()}


def _comparison(row: Comparison) -> JsonValue:
    return {
        "id": row.id,
        "prompt": row.prompt_id,
        "a": row.a,
        "b": row.b,
        "p": row.p_a_preferred,
        "unscored": row.unscored,
        "rater": row.rater,
        "objective": row.objective,
        "method": row.method,
        "principle": row.principle_id,
        "first": row.shown_first,
        "rationale": row.rationale,
        "raw": row.raw,
    }


def _rollout(row: Rollout) -> JsonValue:
    return {
        "id": row.id,
        "prompt": row.prompt_id,
        "step": row.step,
        "text": row.text,
        "tokens": row.tokens,
        "cut": not row.finished,
        "score": round(row.preference_score, 4),
        "kl": round(row.kl, 4),
        "advantage": round(row.advantage, 4),
    }
