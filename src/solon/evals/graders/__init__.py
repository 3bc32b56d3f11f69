"""Who reads answers, a file each. The `GRADER` of each file grades every run; the oracle grades runs in its world."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from solon.evals.grader import Grader


def _graders() -> tuple[Grader, ...]:
    modules = [import_module(f"{__name__}.{one.name}") for one in iter_modules(__path__)]
    return tuple(module.GRADER for module in modules if hasattr(module, "GRADER"))


GRADERS = _graders()
"""Those that can read any answer, in the order of their files' names."""
