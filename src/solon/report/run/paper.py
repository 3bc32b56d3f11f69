"""Where a run follows the paper, and where not: what the paper did at each step (`paper.toml`), and what this run did,
by its settings and manifests. Where the paper does not say, no row claims anything."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from solon.artifacts.manifest import Manifest
from solon.config.paths import WORLD
from solon.config.run import RunConfig
from solon.pipeline.judging import JUDGING
from solon.report.data import ReportData
from solon.report.run.ratings import judged

Done = tuple[str, bool]
"""What the run did, and whether that is what the paper did."""
Stages = Mapping[str, Manifest]


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step of the method."""

    section: str
    """Of the paper."""
    what: str
    paper: str
    """What the paper did."""
    run: str
    """What this run did."""
    follows: bool


@cache
def _paper() -> dict[str, dict[str, str]]:
    return tomllib.loads(files("solon.report.run").joinpath("paper.toml").read_text(encoding="utf-8"))


def steps(data: ReportData) -> list[Step]:
    """In the order of the method; none without a run file."""
    if data.config is None:
        return []
    config, stages = data.config, {one.stage: one for one in data.manifests}
    aligned = (
        _by_rl(config, stages) if config.alignment == "rl" else {"dpo": _no("DPO on the comparisons (2305.18290)")}
    )
    found = _supervised(data, config, stages) | _labels(data, config) | aligned | _evaluation(data)
    assert found.keys() <= _paper().keys(), found.keys() - _paper().keys()
    told = ((said, found[key]) for key, said in _paper().items() if key in found)
    return [Step(**said, run=run, follows=follows) for said, (run, follows) in told]


def departures(data: ReportData) -> list[tuple[str, str]]:
    """What stages say of themselves, by stage."""
    return [(one.stage, text) for one in data.manifests for text in one.deviations]


def _same(paper: float, run: float) -> Done:
    return f"{run:,}" if isinstance(run, int) else f"{run:g}", run == paper


def _either(follows: bool, so: str, otherwise: str) -> Done:
    return so if follows else otherwise, follows


def _no(run: str) -> Done:
    return run, False


def _only(**found: tuple[bool, str]) -> dict[str, Done]:
    """What the paper does not have, where the run has it. Names have `_` for `-`."""
    return {name.replace("_", "-"): _no(text) for name, (there, text) in found.items() if there}


def _supervised(data: ReportData, config: RunConfig, stages: Stages) -> dict[str, Done]:
    models, supervised, sft = config.models, config.supervised, config.sft
    whose = "of the synthetic world" if config.prompts.source == WORLD else "of a file"
    way = str(stages["revisions"].facts.get("asked", "auto")) if "revisions" in stages else supervised.ask
    hot, shots = _temperatures(stages), config.constitution.few_shots
    constant = sft.schedule == "constant" or sft.final_share == 1
    return {
        "red-team": _no(f"{len({row.prompt_id for row in data.revisions}):,}, {whose}"),
        "finetuned": _either(
            models.role("base").path != models.role("assistant").path,
            "a model of its own",
            "the assistant’s own model",
        ),
        "asked": (way.replace("-", " "), way == "turns"),
        "critique": _either(supervised.critique, "yes", "no, as in section 3.5"),
        "rounds": _same(4, supervised.rounds),
        **_critique_principles(data, config),
        "few-shots": _either(bool(shots), f"those of {shots}", "none"),
        "temperature": (" and ".join(f"{one:g}" for one in hot) or "unknown", hot == [1.0]),
        "targets": _either(sft.rounds == "all", "revisions of all rounds", "the last revision"),
        "helpful": _same(2, sft.helpful_per_prompt),
        "epochs": _same(1, sft.epochs),
        "learning-rate": (f"{sft.learning_rate:g}, {_fall(constant, sft.final_share)}", constant),
        "batch": _same(1024, sft.batch_size),
        **_only(
            gate=(supervised.gate, "a gate that keeps only revisions that the judge prefers"),
            sft_lora=(sft.lora is not None, "adapters"),
            early_stopping=(sft.early_stopping is not None, "when the held-out loss no longer falls"),
        ),
    }


def _fall(constant: bool, share: float) -> str:
    return "constant" if constant else f"falls to {share:g} of it"


def _critique_principles(data: ReportData, config: RunConfig) -> dict[str, Done]:
    if data.constitution is None:
        return {}
    drawn = data.constitution.critique_principles(config.constitution.critique)
    alike = len({one.weight for one in drawn}) == 1
    return {"critique-principles": _same(16, len(drawn)), "drawn": _either(alike, "all alike", "by weight")}


def _labels(data: ReportData, config: RunConfig) -> dict[str, Done]:
    judge, models, reasons = config.judge, config.models, config.judge.method == "cot"
    paths = {role: models.role(role).path for role in ("assistant", "base")}
    # Where one model plays both roles, it is the assistant.
    whose = next((role for role, path in paths.items() if path == models.role("judge").path), None)
    who = {"assistant": "the assistant", "base": "the base model", None: "a model of its own"}[whose]
    after, clamped = "-reasoning" if reasons else "", _clamped(config)
    one = not config.constitution.whole and judge.decide == "mean" and judge.principles == 1
    several = "the whole document" if config.constitution.whole else f"{judge.principles}, drawn"
    pairs = config.pairs
    helpful = f", and {pairs.helpful_per_prompt} of each helpful prompt" if pairs.helpful_per_prompt else ""
    until = {"first": f"up to {judge.draws}, drawn until one decides"}
    until["precedence"] = "article after article, until one decides"
    return {
        f"judge{after}": (who, whose == ("assistant" if reasons else "base")),
        "pairs": (f"{pairs.per_prompt}{helpful}", (pairs.per_prompt, pairs.helpful_per_prompt) == (1, 0)),
        **_comparison_principles(data, config),
        "per-label": _either(one, "1, drawn", until.get(judge.decide, several)),
        "method": ("after reasoning" if reasons else "probabilities of the two options", True),
        "orders": _either(judge.orders == "random", "one, drawn", "both, and the mean"),
        f"clamp{after}": (_clamp(clamped), clamped == ((0.4, 0.6) if reasons else None)),
        "wording": _either(judge.wording == "paper", "the paper’s", "our own"),
        **_only(label_temperature=(judge.temperature != 1, f"{judge.temperature:g}")),
        **({"rationales": _same(1, judge.rationales)} if reasons else {}),
        "helpfulness": _no(_helpfulness(data)),
    }


def _comparison_principles(data: ReportData, config: RunConfig) -> dict[str, Done]:
    if data.constitution is None or config.constitution.whole:
        return {}
    drawn = data.constitution.comparison_principles(config.constitution.comparison)
    return {"comparison-principles": _same(16, len(drawn))}


def _clamped(config: RunConfig) -> tuple[float, float] | None:
    """What training lets of a label through, after what the judge's section did."""
    most = (config.preference if config.alignment == "rl" else config.dpo).clamp
    low, high = config.judge.clamp or (0.0, 1.0)
    ends = max(low, round(1 - most, 12)), min(high, most)
    return None if ends == (0.0, 1.0) else ends


def _clamp(ends: tuple[float, float] | None) -> str:
    return "none" if ends is None else f"{ends[0]:g} to {ends[1]:g}"


def _helpfulness(data: ReportData) -> str:
    rows = [row for row in data.comparisons if row.objective == "helpfulness"]
    return f"{len(rows):,}, by {' and '.join(sorted({row.rater for row in rows}))}" if rows else "none"


def _by_rl(config: RunConfig, stages: Stages) -> dict[str, Done]:
    preference, rl, monitor = config.preference, config.rl, config.rl.monitor
    terms = [*rl.rewards.of_models, *rl.rewards.of_texts]
    alone = rl.rewards.of_models == {"preference": 1.0} and not rl.rewards.of_texts
    off, acts = rl.kl_in == "reward", monitor is not None and monitor.stop
    asked = stages["models/rl"].counts.rows_out if "models/rl" in stages else 0
    learnt = {
        "pm-start": _no("SL-CAI" if preference.start == "sl" else "the base model"),
        "labels": (preference.labels, preference.labels == "soft"),
        "pm-epochs": _same(1, preference.epochs),
    }
    return {
        **(learnt if rl.rewards.preference else {}),
        "reward": _either(alone, "the preference model’s score", ", ".join(terms)),
        "algorithm": (rl.algorithm.replace("_", " ").upper(), rl.algorithm == "ppo"),
        "kl": (
            f"{rl.kl_coefficient:g}, {'off the reward' if off else 'in the loss'}",
            off and rl.kl_coefficient == 0.001,
        ),
        "clip": _same(0.2, rl.clip),
        "rollouts": _same(1, rl.temperature),
        "rl-prompts": _no(f"{asked:,}"),
        **_only(
            rl_lora=(rl.lora is not None, "adapters"),
            monitor=(monitor is not None, "a monitor that can end it" if acts else "a monitor that only watches"),
            unfinished=(rl.unfinished_penalty > 0, f"{rl.unfinished_penalty:g}"),
        ),
    }


def _evaluation(data: ReportData) -> dict[str, Done]:
    by = [f"people, in {data.people.votes:,} comparisons"] if data.people else []
    by += [f"the {data.summary.grader}"] * bool(data.summary.grader) + ["the judge"] * judged(data)
    return {"evaluation": (" and ".join(by) or "nobody; what can be counted is reported", data.people is not None)}


def _temperatures(stages: Stages) -> list[float]:
    """Those that texts were drawn at, RL's apart, as the manifests have them."""
    drawing = (stages[name].config for name in ("revisions", "helpful", "pairs") if name in stages)
    return sorted({float(one) for config in drawing for one in _under("temperature", config)})


def _under(key: str, value: Any) -> Iterator[float]:
    """Every number under a key, at any depth, but for the judge's."""
    for name, inside in value.items() if isinstance(value, dict) else ():
        if name == key and isinstance(inside, int | float):
            yield inside
        elif name not in JUDGING:
            yield from _under(key, inside)
