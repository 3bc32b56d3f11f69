"""The models that a live arena asks: those of the site's runs, in the line of everybody who asks models."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from solon.errors import RunError
from solon.pipeline.talking import models_of
from solon.records import Turn
from solon.seeds import derive_seed
from solon.web.modelling import ModelName
from solon.web.site import Site


def models(site: Site) -> dict[str, ModelName]:
    """By name, as `RUN:MODEL`."""
    return {f"{run.name}:{name}": ModelName(run.path, name) for run in site.runs.all() for name in models_of(run.path)}


def answers(site: Site, names: Sequence[str], turns: Sequence[Turn], *, seed: int, who: str) -> list[str]:
    """What each says next to this browser, sampled as its run evaluates it. Waits for others who ask.

    Raises `Trouble` if too many do, `EngineError` and `UserError` of a model.
    """
    known = models(site)
    if missing := [name for name in names if name not in known]:
        raise RunError(f"there is no model {missing[0]}")

    def work(tell: Callable[[str], None]) -> list[str]:
        talkers = ((name, site.modelling.talker(known[name])) for name in names)
        return [one.answer(turns, seed=derive_seed(seed, name), tell=tell).text for name, one in talkers]

    return site.modelling.line.join(work, who).awaited()
