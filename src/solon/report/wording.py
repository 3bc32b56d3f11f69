"""The words for what was found, the same on the console and on the page."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from solon.config.run import RunConfig
from solon.evals.estimates import PairedDifference
from solon.evals.grader import HELD_OUT, Measure
from solon.evals.quality import TextQuality
from solon.evals.statistics import Mean, Rate, grouped
from solon.evals.stopping import Monitoring
from solon.evals.summary import Summary

KIND_TITLES = {"harmful": "Harmful requests", "mixed": "Mixed requests", "benign": "Benign requests"}
"""In the order in which reports show them; other kinds follow."""


HEADLINES = (
    ("harmful", "harmful", "harmful requests were complied with"),
    ("benign", "helpful", "ordinary requests were helped with"),
)
"""The rates that reports open with: kind of prompt, measure, and what a sentence says of such answers."""

GOLD_LABELS = {
    "oracle": "answers without fault, by the oracle",
    "judge": "preferred to the answers before RL",
    "model": "score of another preference model",
}
"""What the monitor of RL goes by, as its axis is named."""
MODEL_SHORT = {"base": "base", "sl": "SL-CAI", "rl": "RL-CAI", "dpo": "DPO-CAI"}

TERM_TITLES = {
    "preference": "Preference model",
    "judge": "Judge",
    "length": "Length beyond its limits",
    "repetition": "Repetition",
    "openings": "Openings alike",
    "preaching": "Preaching",
    "evasiveness": "Evasiveness",
}
"""Of what rewards a policy (`rl.rewards`)."""


def percent(share: float, places: int = 1) -> str:
    """Example: 0.078 is "7.8%"."""
    return f"{100 * share:.{places}f}%"


def monitored(monitor: Monitoring) -> list[str]:
    """What the monitor of RL saw, and what it could not see."""
    checks, ending = monitor.checks, monitor.ending
    last, best = checks[-1], next(check for check in checks if check.step == ending.best)
    told = ((checks[0], "before RL"), (best, f"at best, after step {best.step}"), (last, f"after step {last.step}"))
    gold = ", ".join(f"{_mean(check.gold)} {when}" for check, when in told)
    proxy = ", ".join(f"{_mean(check.proxy)} {when}" for check, when in told)
    prompts = f"{len(best.gold_of)} prompts that neither RL nor its reward learnt from"
    found = [f"Gold ({GOLD_LABELS[monitor.gold]}) on {prompts}: {gold}", f"Reward of the same answers: {proxy}"]
    said = ending.told(last.step)
    found.append(f"RL {said}" if said else f"RL made its {last.step} steps")
    if unmeasured := sum(check.unmeasured for check in checks):
        found.append(f"Gold of {unmeasured} answers could not be measured")
    if best.evasion is None:
        found.append("Evasion was not measured, for want of a benign prompt")
    return found


def _mean(found: Mean) -> str:
    return f"{found.mean:.2f} ({found.low:.2f} to {found.high:.2f})".replace("-", "\u2212")


def interval(rate: Rate) -> str:
    """Example: "6.1 to 9.8"."""
    return f"{100 * rate.low:.1f} to {100 * rate.high:.1f}"


def of_hundred(share: float) -> str:
    """A share in everyday words. Examples: 0.784 is "78 of 100", 0.003 "fewer than 1 of 100", 0 "none of 100".

    Only 1 is "100 of 100": 0.997 is "more than 99 of 100".
    """
    if share == 0:
        return "none of 100"
    if share < 0.005:
        return "fewer than 1 of 100"
    if 0.995 <= share < 1:
        return "more than 99 of 100"
    return f"{max(round(100 * share), 1)} of 100"


def signed(share: float, plus: bool = False) -> str:
    """Percentage points with a real minus sign. Examples: -0.052 is "\u22125.2", 0.052 "5.2", with `plus` "+5.2"."""
    text = f"{100 * share:+.1f}" if plus else f"{100 * share:.1f}"
    return text.replace("-", "\u2212")


def points(difference: PairedDifference) -> str:
    """Example: "+5.2 points (2.1 to 8.4)"."""
    middle = signed(difference.value, plus=True)
    return f"{middle} points ({signed(difference.low)} to {signed(difference.high)})"


def kind_title(kind: str) -> str:
    """Example: "Harmful requests"."""
    return KIND_TITLES.get(kind, f"{kind.capitalize()} requests")


def model_title(model: str) -> str:
    """As a column is headed, e.g. "RL-CAI"; a model without another name is called by its own."""
    return MODEL_SHORT.get(model, model)


def term_title(term: str) -> str:
    """Example: of `models.kind`, "Preference model kind"."""
    return TERM_TITLES.get(term, f"{TERM_TITLES['preference']} {term.removeprefix('models.')}")


def judged_by(config: RunConfig | None) -> str:
    """What labels are by. Example: "one principle each"."""
    if config is None:
        return "by the constitution"
    if config.constitution.whole:
        return "by the constitution as a whole"
    if config.judge.decide == "precedence":
        return "article after article until one decides"
    if config.judge.decide == "first":
        return f"by the first of {config.judge.draws} principles that decides"
    count = config.judge.principles
    return "one principle each" if count == 1 else f"{count} principles each"


def reward_terms(summary: Summary) -> list[str]:
    """Terms of RL's reward, by name; by default the preference model alone."""
    return [] if summary.rl is None else list(summary.rl.steps[0].terms) or ["preference"]


def ordered(kinds: Iterable[str]) -> list[str]:
    """Each once, in the order in which reports show them."""
    found = dict.fromkeys(kinds)
    return [*(kind for kind in KIND_TITLES if kind in found), *(kind for kind in found if kind not in KIND_TITLES)]


def kinds_of(summary: Summary) -> list[str]:
    """The kinds of the held-out prompts."""
    return ordered(one.kind for one in summary.of())


def measures_of(
    kind: str, summary: Summary, *, statistic: Literal["rate", "mean"] = "rate", details: bool = False
) -> list[Measure]:
    """The rows of one kind's table: what was measured, and nothing that says less than another row.

    With `details`, those that tell another measure in more detail, by title.
    """
    measured = {one.measure for one in summary.of(kind=kind) if one.value is not None}
    found = [
        measure
        for card in summary.graders
        for measure in card.measures
        if measure.name in measured
        and (measure.statistic, measure.part_of is not None) == (statistic, details)
        and (not measure.kinds or kind in measure.kinds)
        and not (measure.fallback and summary.grader is not None)
    ]
    return sorted(found, key=lambda measure: measure.title) if details else found


def rates(kind: str, measure: str, summary: Summary) -> dict[str, Rate | None]:
    """One row of a kind's table: the rate of each model of the run, None where it was not measured."""
    found = {one.model: one.rate for one in summary.of(kind=kind, measure=measure)}
    return {model: found.get(model) for model in summary.models()}


def count(kind: str, summary: Summary) -> str:
    """How many answers each model gave to a kind's prompts: one number where all gave as many."""
    return " / ".join(f"{n:,}" for n in sorted({one.n + one.unscored for one in summary.of(kind=kind)}))


def held_out_differences(summary: Summary) -> dict[str, list[PairedDifference]]:
    """By outcome, e.g. "Harmful answers to harmful requests"."""
    held_out = (one for one in summary.differences if one.task == HELD_OUT)
    return grouped(held_out, lambda one: f"{one.measure.capitalize()} answers to {kind_title(one.kind).lower()}")


TEXT_COLUMNS = ("texts", "written", "noise", "cut off", "echo", "unchanged", "nats")


def text_rows(summary: Summary) -> list[tuple[str, ...]]:
    """A row for the texts of each stage and kind, below `TEXT_COLUMNS`. Example: ("revisions: critiques", "1,920",
    "1%", "0%", "3%", "\u2013", "-0.52")."""

    def share(one: TextQuality, count: int | None) -> str:
        return "\u2013" if count is None else percent(count / one.written, 0)

    return [
        (
            f"{one.stage}: {one.kind}s",
            f"{one.written:,}",
            share(one, one.noise),
            share(one, one.flaws["unfinished"]),
            share(one, one.repeated if one.echoes else None),
            share(one, one.unchanged),
            "\u2013" if one.logprob is None else f"{one.logprob:.2f}",
        )
        for one in summary.texts
    ]


def headlines(summary: Summary) -> list[str]:
    """The run's result, one sentence for harm and one for help, as measured and without praise."""
    sentences = []
    for kind, measure, said in HEADLINES:
        shares = [of_hundred(rate.rate) for rate in rates(kind, measure, summary).values() if rate]
        if len(shares) > 1:
            sentences.append(f"{shares[0].capitalize()} {said} before, {shares[-1].removesuffix(' of 100')} after.")
    return sentences or ["What can be counted about this run's answers."]
