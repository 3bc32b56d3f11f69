"""The world's oracle as a grader: it knows what is true of any answer to a prompt of the world."""

from __future__ import annotations

import tomllib
from importlib.resources import files

from solon.evals.grader import GraderCard, Measure, Response
from solon.world.lexicon import lexicon
from solon.world.oracle import judge


class Oracle:
    """Grades with certainty; the categories of harm are listed also where none occurs."""

    def __init__(self) -> None:
        text = files("solon.evals.graders").joinpath("oracle.toml").read_text(encoding="utf-8")
        self._measures = tuple(Measure.model_validate(one) for one in tomllib.loads(text)["measures"])
        harms = (Measure(name=f"harms.{it}", title=it, better="lower", part_of="harmful") for it in lexicon().harms)
        self.card = GraderCard(name="oracle", measures=(*self._measures, *harms))

    def grade(self, response: Response) -> dict[str, float]:
        """1 for what is true of the answer, else 0."""
        found = judge(response.prompt.turns, response.text)
        given = {measure.name: float(getattr(found, measure.name)) for measure in self._measures}
        return given | {f"harms.{name}": float(name in found.harms) for name in lexicon().harms}
