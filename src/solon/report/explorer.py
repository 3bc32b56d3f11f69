"""The rows that the page lets its reader browse, as plain JSON data.

A page that holds every row of a long run would be slow to open, so each list has a cap; what is shown is spread evenly
over the list, and the page says how many there are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

from pydantic import JsonValue

from solon.evals.grader import GraderCard, Score
from solon.records import Answer, Prompt, Revision
from solon.report.data import ReportData
from solon.report.wording import model_title

T = TypeVar("T")
_TEXTS = ("critique_request", "revision_request", "comparison_question")


LIMITS = {"chains": 600, "answers": 600, "comparisons": 800, "rollouts": 1600}
"""Most rows of each list that one page holds; of answers, prompts. Assumption: the page stays below about 4 MB."""


def spread(rows: Sequence[T], most: int) -> list[T]:
    """At most `most` rows, evenly spaced, the first included. Example: 2 of a, b, c, d are a and c."""
    if len(rows) <= most:
        return list(rows)
    return [rows[k * len(rows) // most] for k in range(most)]


def explorer_data(data: ReportData, limits: Mapping[str, int] = LIMITS) -> dict[str, JsonValue]:
    """Prompts, principles and the four lists. Texts are as the models wrote them: untrusted."""
    grades = _grades(data)
    chains = spread(data.revisions, limits["chains"])
    evaluated = _side_by_side(data.answers, grades)
    prompt_ids = spread(list(evaluated), limits["answers"])
    comparisons = spread(data.comparisons, limits["comparisons"])
    rollouts = spread(data.rollouts, limits["rollouts"])
    principles = data.constitution.principles if data.constitution else ()
    used = [*(c.prompt_id for c in chains), *prompt_ids]
    used += [*(c.prompt_id for c in comparisons), *(r.prompt_id for r in rollouts)]
    return {
        "prompts": {name: _prompt(data.prompts[name]) for name in dict.fromkeys(used) if name in data.prompts},
        "principles": {one.id: one.model_dump(include={"title", *_TEXTS}) for one in principles},
        "models": [[name, model_title(name)] for name in data.answers],
        "grades": [[one.name, one.title] for card in _cards(data) for one in card.measures if one.part_of is None],
        "lists": {
            "chains": _listed([_chain(row, grades) for row in chains], len(data.revisions)),
            "answers": _listed([evaluated[name] for name in prompt_ids], len(evaluated)),
            "comparisons": _listed([row.model_dump(mode="json") for row in comparisons], len(data.comparisons)),
            "rollouts": _listed([row.model_dump(mode="json") for row in rollouts], len(data.rollouts)),
        },
    }


def _listed(rows: list[JsonValue], total: int) -> JsonValue:
    return {"rows": rows, "total": total}


def _prompt(prompt: Prompt) -> JsonValue:
    return {"kind": prompt.kind, "source": prompt.source, "turns": [[turn.role, turn.text] for turn in prompt.turns]}


Grades = Mapping[tuple[str, str], JsonValue]
"""By model and prompt; of chains, each answer counts as a model's."""


def _cards(data: ReportData) -> list[GraderCard]:
    """Of the grader with ground truth."""
    return [card for card in data.summary.graders if card.name == data.summary.grader]


def _grades(data: ReportData) -> Grades:
    return {
        (score.model, score.item): _grade(score, card)
        for card in _cards(data)
        for score in data.scores
        if score.grader == card.name and score.values is not None
    }


def _grade(score: Score, card: GraderCard) -> JsonValue:
    return {
        "faults": [name for name in card.names("lower") if score.has(name)],
        "merits": [name for name in card.names("higher") if score.has(name)],
        "harms": [*sorted(one.title for one in card.measures if one.part_of and score.has(one.name))],
    }


def _chain(row: Revision, grades: Grades) -> JsonValue:
    steps: list[JsonValue] = [{"text": row.initial, "grade": grades.get(("assistant@0", row.prompt_id))}]
    steps += [
        {
            "text": step.revision,
            "critique": step.critique,
            "principle": step.principle_id,
            "hash": step.prompt_hash,
            "cut": not step.finished,
            "kept": not step.kept_out,
            "grade": None if step.kept_out else grades.get((f"assistant@{number}", row.prompt_id)),
        }
        for number, step in enumerate(row.rounds, start=1)
    ]
    return {"id": row.id, "prompt_id": row.prompt_id, "steps": steps}


def _side_by_side(answers: Mapping[str, Sequence[Answer]], grades: Grades) -> dict[str, JsonValue]:
    """Prompt id to the answers of the evaluated models."""
    found: dict[str, dict[str, JsonValue]] = {}
    for model, rows in answers.items():
        for row in rows:
            grade = grades.get((model, row.prompt_id))
            found.setdefault(row.prompt_id, {})[model] = {"text": row.text, "grade": grade, "cut": not row.finished}
    return {name: {"id": name, "prompt_id": name, "models": models} for name, models in found.items()}
