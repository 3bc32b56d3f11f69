"""The pages of chat."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from solon.artifacts.run_folder import run_config
from solon.errors import EngineError, UserError
from solon.lm.protocols import Completion
from solon.pipeline.talking import TITLES, examples, models_of
from solon.web.access import Access
from solon.web.chat.dialogue import Exchange, read, turns
from solon.web.modelling import Modelling, ModelName
from solon.web.parts import Part, computed
from solon.web.routing import action, page
from solon.web.runs import Runs
from solon.web.troubles import explained
from solon.web.visit import Answer, View, Visit

LONGEST = 4000
"""Characters of a question."""
MOST_SEED = 999_999_999
HOTTEST = 9.99


def chats(visit: Visit) -> Answer:
    """The runs there are."""
    return visit.render("chats.html.j2", runs=visit.site.runs.newest())


def chat(visit: Visit) -> Answer:
    return _page(visit, [], {"seed": "0", "temperature": "1"})


def say(visit: Visit) -> Answer:
    """Every model answers, one after the other."""
    run, faults = visit.run.path, _faults(visit)
    with explained(visit.site.runs.told):
        models = models_of(run)
    form = visit.form
    before = read(form, models)
    if faults:
        return _page(visit, before, {name: form[name] for name in ("text", "seed", "temperature")}, faults)
    kept = {name: form[name] for name in ("seed", "temperature")}
    asking = _Asking(visit.site.modelling, visit.site.runs, run, models, before, form["text"], **kept)
    return computed(visit, asking.ask, _part, lambda found: _page(visit, [*before, found], kept))


@dataclass(frozen=True)
class _Asking:
    modelling: Modelling
    runs: Runs
    run: Path
    models: Sequence[str]
    before: Sequence[Exchange]
    text: str
    seed: str
    temperature: str

    def ask(self, tell: Callable[[tuple[str, str]], None]) -> Exchange:
        said: dict[str, str] = {}
        faults: dict[str, str] = {}
        cut_off: set[str] = set()
        for name in self.models:
            try:
                found = self._answer(name, tell)
            except (EngineError, UserError) as error:
                said[name], faults[name] = "", self.runs.told(error)
            else:
                said[name] = found.text
                cut_off |= {name} if found.truncated else set()
        asked = {"asked": self.text, "seed": self.seed, "temperature": self.temperature}
        return Exchange(**asked, said=said, cut_off=frozenset(cut_off), faults=faults)

    def _answer(self, name: str, tell: Callable[[tuple[str, str]], None]) -> Completion:
        return self.modelling.talker(ModelName(self.run, name)).answer(
            turns(self.before, name, self.text),
            seed=int(self.seed),
            temperature=float(self.temperature.replace(",", ".")),
            tell=lambda piece: tell((name, piece)),
        )


def _part(told: tuple[str, str]) -> Part:
    name, piece = told
    return {"into": f"writing-{name}", "add": piece}


def _faults(visit: Visit) -> dict[str, str]:
    form, found = visit.form, {}
    if not 0 < len(form["text"]) <= LONGEST:
        found["text"] = visit.say("Write a question, in at most %(most)s characters.", most=LONGEST)
    if form.number("seed", least=0, most=MOST_SEED) is None:
        found["seed"] = visit.say("Write a whole number from %(least)s to %(most)s.", least=0, most=MOST_SEED)
    if not re.fullmatch(r"[0-9]([.,][0-9]{1,2})?", form["temperature"]):
        found["temperature"] = visit.say("Write a number from %(least)s to %(most)s.", least=0, most=HOTTEST)
    return found


def _page(visit: Visit, exchanges: Sequence[Exchange], values: Mapping[str, str], faults: Any = None) -> View:
    run = visit.run
    with explained(visit.site.runs.told):
        models, asked = models_of(run.path), examples(run_config(run.path))
    return visit.render(
        "chat.html.j2",
        status=422 if faults else 200,
        run=run,
        titles={model: TITLES[model] for model in models},
        examples=asked,
        exchanges=exchanges,
        values=values,
        faults=faults or {},
        longest=LONGEST,
    )


PAGES = (
    page("/chat", chats, Access.MEMBER),
    page("/chat/{run}", chat, Access.MEMBER),
    action("/chat/{run}", say, Access.MEMBER, writes=False),
)
