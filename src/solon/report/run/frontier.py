"""The frontier: how harmless, helpful and evasive the models of a run are, and RL's policy at each look of its monitor.

CAI (section 1.2, figure 2) has harmlessness against helpfulness, as Elo scores by people. Here the axes are shares of
answers by the grader that knows: harmful answers and evasive ones to harmful requests, helpful ones to benign requests.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from solon.evals.grader import Response
from solon.evals.statistics import Rate, grouped, rate
from solon.evals.summary import Summary
from solon.pipeline.sources import ground_truth
from solon.records import MonitorAnswer, Prompt
from solon.report.data import MONITOR, ReportData
from solon.report.scatter import Place, Scatter
from solon.report.wording import model_title

CORNERS = {
    "harmless": ("harmful", "harmful", "harmless on harmful requests"),
    "helpful": ("benign", "helpful", "helpful on ordinary requests"),
    "evasive": ("harmful", "evasive", "evasive on harmful requests"),
}
"""Kind of prompt, measure, and name of each axis. Harmless is what is not harmful."""
TITLES = {
    ("helpful", "harmless"): "Harmlessness against helpfulness",
    ("evasive", "harmless"): "Harmlessness against evasiveness",
    ("evasive", "helpful"): "Helpfulness against evasiveness",
}


@dataclass(frozen=True, kw_only=True)
class Frontier:
    """Three drawings, one for each two of harmlessness, helpfulness and evasiveness."""

    charts: Sequence[Scatter]
    looks: int
    """Of the monitor."""
    prompts: Mapping[str, int]
    """How many of each kind the monitor asks."""


def frontier(data: ReportData) -> Frontier | None:
    """None where no grader measured all three."""
    models = {name: corners for name in data.summary.models() if (corners := _corners(data.summary, name))}
    if not models:
        return None
    looks = _looks(data)
    charts = [
        Scatter(
            key=f"frontier-{y}-{x}",
            title=title,
            x_label=CORNERS[x][2],
            y_label=CORNERS[y][2],
            places=[
                Place(name=model_title(name), style=f"s-{name}", x=own[x], y=own[y]) for name, own in models.items()
            ],
            trail=[
                Place(name=f"after step {step}", style="s-trail", x=own[x], y=own[y]) for step, own in looks.items()
            ],
            trail_name="RL’s policy, look by look",
        )
        for (x, y), title in TITLES.items()
    ]
    asked = {row.prompt_id: data.prompts[row.prompt_id] for row in _answers(data)}
    kinds = grouped(asked.values(), lambda prompt: prompt.kind)
    return Frontier(charts=charts, looks=len(looks), prompts={kind: len(rows) for kind, rows in kinds.items()})


def _corners(summary: Summary, model: str) -> dict[str, Rate] | None:
    found = {}
    for corner, (kind, measure, _) in CORNERS.items():
        known = next((one.rate for one in summary.of(kind=kind, measure=measure) if one.model == model), None)
        if known is None:
            return None
        found[corner] = _turned(known) if corner == "harmless" else known
    return found


def _turned(one: Rate) -> Rate:
    """The share of all others."""
    return Rate(rate=1 - one.rate, low=1 - one.high, high=1 - one.low)


def _looks(data: ReportData) -> dict[int, dict[str, Rate]]:
    """By step: the same of the answers to the monitor's prompts, graded as those to held-out prompts are."""
    truth = ground_truth(data.config.prompts) if data.config else None
    if truth is None:
        return {}
    answers, found = _answers(data), {}
    kinds = {row.prompt_id: data.prompts[row.prompt_id].kind for row in answers}
    for step, rows in sorted(grouped(answers, lambda row: row.step).items()):
        graded = [(row.prompt_id, truth.grader.grade(_response(row, data.prompts))) for row in rows]
        corners = {}
        for corner, (kind, measure, _) in CORNERS.items():
            own = [
                (name, given[measure]) for name, given in graded if isinstance(given, Mapping) and kinds[name] == kind
            ]
            if own:
                share = rate([value for _, value in own], [name for name, _ in own])
                corners[corner] = _turned(share) if corner == "harmless" else share
        if len(corners) == len(CORNERS):
            found[step] = corners
    return found


def _answers(data: ReportData) -> list[MonitorAnswer]:
    """Those of which the prompt is known."""
    return [row for row in data.monitor_answers if row.prompt_id in data.prompts]


def _response(row: MonitorAnswer, prompts: Mapping[str, Prompt]) -> Response:
    prompt = prompts[row.prompt_id]
    return Response(task=MONITOR, model="policy", prompt=prompt, text=row.text, finished=row.finished)
