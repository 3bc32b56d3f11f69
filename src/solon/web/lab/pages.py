"""The pages of the lab."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from solon.artifacts.finished import kept_record
from solon.constitution.lists import list_toml
from solon.constitution.principles import TEXT_KEYS, Constitution, Principle
from solon.constitution.sentence import constitution_of, principle_of
from solon.errors import ConstitutionError
from solon.pipeline.inputs import CONSTITUTION
from solon.web.access import Access
from solon.web.downloads import download
from solon.web.forms import Form
from solon.web.lab.trying import Found, Step, try_out
from solon.web.parts import PROGRESS, Part, computed
from solon.web.routing import action, page
from solon.web.troubles import explained, not_found
from solon.web.visit import Answer, View, Visit

FIELDS = ("sentence", *TEXT_KEYS)
LONGEST = 2000
"""Characters of a text."""
Faults = Mapping[str, str]
NONE: Faults = MappingProxyType({})


def lab(visit: Visit) -> Answer:
    """An empty form, or one that begins from a principle of the run's constitution."""
    wanted = visit.request.query_params.get("from")
    if not wanted:
        return _page(visit, dict.fromkeys(FIELDS, ""))
    found = next((one for one in _principles(visit) if one.id == wanted), None)
    if found is None:
        raise not_found()
    texts = {key: getattr(found, key) or "" for key in TEXT_KEYS}
    return _page(visit, {"sentence": found.title, **texts})


def try_principle(visit: Visit) -> Answer:
    """What assistant and judge make of it."""
    run, (principle, faults) = visit.run.path, _read(visit)
    if principle is None:
        return _page(visit, _values(visit.form), faults=faults)

    def work(tell: Callable[[Step], None]) -> Found:
        return try_out(visit.site.modelling, run, principle, tell)

    values = _values(visit.form)
    return computed(visit, work, lambda step: _part(visit, step), lambda found: _page(visit, values, found))


def keep_principle(visit: Visit) -> Answer:
    """As a constitution file, which `--constitution` reads."""
    principle, faults = _read(visit)
    if principle is None:
        return _page(visit, _values(visit.form), faults=faults)
    text = list_toml(constitution_of(principle))
    return download("principle.toml", text.encode(), "application/toml; charset=utf-8")


def _read(visit: Visit) -> tuple[Principle | None, Faults]:
    values, say = _values(visit.form), visit.say
    long = say("Write at most %(most)s characters.", most=LONGEST)
    faults = {name: long for name, text in values.items() if len(text) > LONGEST}
    if not values["sentence"]:
        faults["sentence"] = say("Write what the principle says.")
    if faults:
        return None, faults
    try:
        return principle_of(values["sentence"], values), NONE
    except ConstitutionError as error:
        found = (str(fault.what).partition(": ") for fault in error.faults)
        return None, {key if key in FIELDS else "sentence": what for key, _, what in found}


def _values(form: Form) -> dict[str, str]:
    return {"sentence": form.line("sentence"), **{key: form[key] for key in TEXT_KEYS}}


def _part(visit: Visit, step: Step) -> Part:
    say = visit.say
    told = {
        "prompts": say(
            "The assistant answers, criticises and revises: %(done)s of %(all)s", done=step.done, all=step.all
        ),
        "pairs": say("The judge compares: %(done)s of %(all)s", done=step.done, all=step.all),
    }
    return {"into": PROGRESS, "say": told[step.what]}


def _principles(visit: Visit) -> tuple[Principle, ...]:
    """Of the run's constitution, as it was when the run was made."""
    with explained(visit.site.runs.told):
        kept = kept_record(visit.run.path / CONSTITUTION, Constitution)
    return kept.principles if kept else ()


def _page(visit: Visit, values: Mapping[str, str], found: Any = None, faults: Faults = NONE) -> View:
    return visit.render(
        "lab.html.j2",
        status=422 if faults else 200,
        run=visit.run,
        values=values,
        faults=faults,
        found=found,
        principles=_principles(visit),
        longest=LONGEST,
    )


PAGES = (
    page("/lab/{run}", lab, Access.MEMBER),
    action("/lab/{run}", try_principle, Access.MEMBER, writes=False),
    action("/lab/{run}/file", keep_principle, Access.MEMBER, writes=False),
)
