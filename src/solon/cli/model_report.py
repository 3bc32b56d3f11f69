"""What `solon models check` prints of a model."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from solon.lm.check import ModelSummary
    from solon.lm.describe import ModelReport
    from solon.models.machine import Machine
    from solon.models.memory import StageMemory

GIB = 1 << 30
_LABEL = 12
"""Columns of the first word of a line."""


def report_lines(name: str, report: ModelReport) -> Iterator[str]:
    """One line that says what the model is, and below it, indented, what a run makes of it."""
    yield _summary(name, report.summary)
    yield _line("arithmetic", f"{report.computed}; the files keep {', '.join(report.stored)}")
    yield _line("tokens", ", ".join(f"{what} {token}" for what, token in report.special.items()) or "none is special")
    yield _line("stops at", ", ".join(map(repr, report.stop)) or "no text")
    for stage, needed in report.memory.items():
        yield _line("memory", f"{stage} {_needed(needed, report.machine)}")
    for odd in report.oddities:
        yield _line("unusual", odd)
    for line in report.example.split("\n"):
        yield _line("example", f"| {line}".rstrip())


def _summary(name: str, summary: ModelSummary) -> str:
    facts = (
        summary.architecture,
        f"{summary.parameters:,} parameters",
        f"context {summary.context:,}",
        f"vocabulary {summary.vocabulary:,}",
        {"chat-template": "chat template", "human-assistant": "Human/Assistant"}[summary.dialogue],
        summary.decoder,
        f"prefixes shared {'always' if summary.shared is None else 'never'}",
    )
    return f"{name}: {', '.join(facts)}"


def _line(label: str, text: str) -> str:
    return f"  {label:<{_LABEL}}{text}"


def _needed(memory: StageMemory, machine: Machine) -> str:
    """E.g. `3.1 GiB of 15.6 GiB`."""
    where = "" if machine.device == "cpu" else f" on the {machine.device} device"
    short = "" if memory.total <= machine.device_memory else ": TOO MUCH"
    return f"{memory.total / GIB:.1f} GiB of {machine.device_memory / GIB:.1f} GiB{where}{short}"
