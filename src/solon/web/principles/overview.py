"""All ideas with their numbers, the rule that chooses among them, and the files."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from pydantic import ValidationError

from solon.artifacts.atomic import canonical_json
from solon.collective.principles.deciding import renewed
from solon.collective.principles.merges import merges_toml
from solon.collective.principles.selection import Asked, admissible, curve, lowest_of, rule_in_words
from solon.collective.principles.topics import propose
from solon.collective.principles.wording import one_line
from solon.constitution.lists import list_toml
from solon.errors import InputError
from solon.report.public.language import mark
from solon.web.access import Access
from solon.web.db import audit
from solon.web.downloads import download
from solon.web.forms import Form
from solon.web.principles.desk import Desk, Row, back, desk_of, require_desk, store
from solon.web.routing import action, page
from solon.web.troubles import Trouble, not_found
from solon.web.visit import Answer, Visit

LONGEST_TITLE = 120
SORTS: dict[str, Callable[[Row], Any]] = {
    "place": lambda row: (row.place or math.inf, -_known(row.value)),
    "consensus": lambda row: -_known(row.figures.geometric_mean),
    "product": lambda row: -_known(row.figures.product),
    "votes": lambda row: -row.votes,
    "number": lambda row: row.idea.id,
}
SHOWS: dict[str, Callable[[Row], bool]] = {
    "all": lambda row: True,
    "chosen": lambda row: row.place is not None,
    "others": lambda row: row.place is None,
    "merged": lambda row: row.idea.merge is not None,
    "worded": lambda row: row.idea.by_person,
}
FILES = ("constitution.toml", "merges.toml", "trace.json")


def principles(visit: Visit) -> Answer:
    return _overview(visit)


def set_rule(visit: Visit) -> Answer:
    """Which ideas become principles. What is wrong is said, and what was typed stays."""
    desk = require_desk(visit)
    title = visit.form.line("title")[:LONGEST_TITLE]
    try:
        asked = _asked(visit.form)
    except ValidationError:
        return _overview(visit, fault=visit.say("Write a consensus from 0 to 1, and whole numbers."))
    store(visit, replace(desk.draft, asked=asked, title=title), "principles: rule", **asked.model_dump(mode="json"))
    return back(visit)


def look_for_proposals(visit: Visit) -> Answer:
    """Topics, and statements that may say the same; what was decided stays."""
    desk = require_desk(visit)
    kept, _, _ = admissible(desk.talk, include_unmoderated=desk.rule.include_unmoderated)
    proposed, _ = propose(kept)
    merges = renewed(desk.draft.merges, proposed)
    counted = {"merges": len(proposed.merge), "wordings": len(proposed.wording)}
    store(visit, replace(desk.draft, merges=merges), "principles: proposals", **counted)
    return back(visit)


def principles_file(visit: Visit) -> Answer:
    """What `solon collect principles` writes with the same choices, and the decisions that it takes with `--merges`."""
    wanted, desk = visit.part("file"), require_desk(visit)
    if wanted not in FILES:
        raise not_found()
    name = name_of(visit)
    if wanted == "merges.toml":
        data = merges_toml(desk.draft.merges)
    else:
        try:
            made = desk.assembled(name)
        except InputError as error:
            raise Trouble(409, mark("There are no principles yet"), "%(why)s", why=error.faults[0].what) from None
        trace = made.trace.model_copy(update={"constitution": f"{name}.toml"})
        toml = list_toml(made.constitution)
        data = toml if wanted == "constitution.toml" else canonical_json(trace, indent=1).decode()
    with visit.site.database.session(writes=True) as db:
        audit.record(db, visit.staff, "principles: file", conversation=visit.talk.slug, file=wanted)
        db.commit()
    called = {"constitution.toml": f"{name}.toml", "trace.json": f"{name}.trace.json"}.get(wanted, wanted)
    return download(called, data.encode(), "application/json" if wanted.endswith("json") else "application/toml")


def name_of(visit: Visit) -> str:
    return f"principles-{visit.talk.slug}"


def command_of(asked: Asked, name: str, *, merges: bool, title: str) -> str:
    """The command that writes the same from the organiser's export."""
    usual, said = Asked(), []
    for option, value in asked.model_dump().items():
        if value != getattr(usual, option) and option not in ("smoothing", "majority"):
            flag = f"--{option.replace('_', '-')}"
            said.append(flag if value is True else f"{flag} {value}")
    if asked.majority is not None:
        said.append("--majority" if asked.majority else "--no-majority")
    said += ["--no-smoothing"] * (not asked.smoothing) + ["--merges merges.toml"] * merges
    if title:
        quoted = title.replace("'", "'\\''")
        said.append(f"--title '{quoted}'")
    return " ".join(["solon collect principles export", *said, f"-o {name}.toml"])


def _asked(form: Form) -> Asked:
    """Empty fields are left to what is usual. Raises ValidationError."""
    numbers = {name: form[name].replace(",", ".") or None for name in ("threshold", "ideas", "minimum_votes")}
    ticks = {name: form.ticked(name) for name in ("weighted", "rejected", "smoothing", "include_unmoderated")}
    majority = {"yes": True, "no": False}.get(form["majority"])
    return Asked.model_validate({**numbers, **ticks, "measure": form["measure"], "majority": majority}, strict=False)


def _overview(visit: Visit, fault: str = "") -> Answer:
    desk = desk_of(visit)
    if desk is None:
        return visit.render("principles.html.j2", desk=None)
    query = visit.request.query_params
    sort, show, words = query.get("sort", "place"), query.get("show", "all"), one_line(query.get("words", ""))[:100]
    sort, show = (sort if sort in SORTS else "place"), (show if show in SHOWS else "all")
    rows = [one for one in desk.rows if SHOWS[show](one) and _holds(desk, one, words)]
    draft, chosen = desk.draft, desk.candidates.chosen
    asked = draft.asked.model_dump()
    return visit.render(
        "principles.html.j2",
        status=422 if fault else 200,
        desk=desk,
        rows=sorted(rows, key=SORTS[sort]),
        sort=sort,
        show=show,
        words=words,
        fault=fault,
        typed=dict.fromkeys(asked, "") | dict(visit.form.fields) if fault else _typed(asked),
        title=draft.title,
        rule=rule_in_words(desk.rule),
        curve=curve(chosen),
        lowest=lowest_of(chosen),
        left_out=_left_out(desk),
        decided_out=[one.statement for one in draft.merges.wording if one.decision == "no"],
        command=command_of(draft.asked, name_of(visit), merges=desk.merges is not None, title=draft.title),
    )


def _typed(asked: dict[str, Any]) -> dict[str, Any]:
    """As the form would have it."""
    return {name: "" if value is None else value for name, value in asked.items()}


def _left_out(desk: Desk) -> list[tuple[int, str, str]]:
    """Statements that are in no idea: number, words, and why."""
    inside = {number for row in desk.rows for number in row.idea.statement_ids}
    reasons = desk.candidates.reasons
    return [(one.id, one.text, reasons[one.id].detail) for one in desk.talk.statements if one.id not in inside]


def _holds(desk: Desk, row: Row, words: str) -> bool:
    said = [row.idea.text, *(desk.texts[number] for number in row.idea.statement_ids)]
    return any(words.casefold() in one.casefold() for one in said)


def _known(value: float | None) -> float:
    """Without a vote there is no consensus; such ideas stand last."""
    return -1.0 if value is None or math.isnan(value) else value


PAGES = (
    page("/c/{slug}/principles", principles, Access.ORGANISER),
    action("/c/{slug}/principles/rule", set_rule, Access.ORGANISER, writes=False),
    action("/c/{slug}/principles/look", look_for_proposals, Access.ORGANISER, writes=False),
    page("/c/{slug}/principles/files/{file}", principles_file, Access.ORGANISER),
)
