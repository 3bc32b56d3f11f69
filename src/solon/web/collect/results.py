"""The results while a conversation runs: map, groups, consensus, report and export, by the functions that files use."""

from __future__ import annotations

import io
import tempfile
import zipfile
from dataclasses import replace
from pathlib import Path

from markupsafe import Markup
from starlette.responses import HTMLResponse

from solon.collective.conversation import Conversation
from solon.collective.exporting import export_conversation
from solon.collective.people.sample import PARTICIPANT, of_voters, sample_of
from solon.collective.tables import write_csv
from solon.report.public.inputs import PublicInput, Words
from solon.report.public.language import mark
from solon.report.public.page import page_of, render_public_report, report_policy, words_of
from solon.web.access import Access
from solon.web.collect.joining import population_of
from solon.web.db import audit
from solon.web.db.assembled import assembled
from solon.web.db.people import answers
from solon.web.db.principles import is_published
from solon.web.downloads import download
from solon.web.limits import Limit
from solon.web.live import Snapshot
from solon.web.pages import templates
from solon.web.routing import page
from solon.web.troubles import Trouble, not_found
from solon.web.visit import Answer, Visit

LOOKS = Limit("results", 60, 60)
"""Pages of results for one address."""
PEOPLE = "people.csv"
EARLIEST = (1980, 1, 1, 0, 0, 0)
"""Of files in an archive, so that the same conversation gives the same bytes."""
TWO_VERSIONS = ("public", "organiser")


def results(visit: Visit) -> Answer:
    """Map, groups and consensus, as they are now."""
    snapshot = snapshot_of(visit)
    shown = snapshot.analysis and snapshot.once(("sections", visit.say.tag), lambda: _sections(visit, snapshot))
    return visit.render("results.html.j2", sections=shown, published=is_published(visit.db, visit.talk))


def report(visit: Visit) -> Answer:
    """The public report, which needs nothing else and has a policy of its own."""
    snapshot = snapshot_of(visit)
    if snapshot.analysis is None:
        raise Trouble(404, mark("There is no report yet"), mark("Nobody has voted so far."))
    key = ("report", visit.say.tag, visit.talk.state)
    html = snapshot.once(key, lambda: render_public_report(given_of(visit, snapshot)))
    policy = f"{report_policy()}; frame-ancestors 'none'"
    return HTMLResponse(html.encode("utf-8", errors="replace"), headers={"Content-Security-Policy": policy})


def export(visit: Visit) -> Answer:
    """What `solon collect import` reads, in an archive: to be published, or for the organiser alone.

    All of it is of one moment. What is published has the words that people were promised to see published, no others.
    """
    version = visit.part("version")
    if version not in TWO_VERSIONS:
        raise not_found()
    organiser = version == "organiser"
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "export")
        talk = assembled(visit.db, visit.talk)
        export_conversation(talk if organiser else _published(talk), out, organiser=organiser)
        if organiser and visit.talk.population.strip():
            _write_people(visit, out / PEOPLE)
        data = _archive(out)
    with visit.site.database.session(writes=True) as db:
        audit.record(db, visit.staff, "exported", conversation=visit.talk.slug, version=version)
        db.commit()
    return download(f"conversation-{visit.talk.slug}-{version}.zip", data, "application/zip")


def snapshot_of(visit: Visit) -> Snapshot:
    """The conversation as it is now. Raises `Trouble` for whoever may not see its results."""
    if not visit.may_see_results:
        raise Trouble(403, mark("The results are not public yet"), mark("Those who run the conversation chose so."))
    return visit.site.live.current(visit.talk.id)


def given_of(visit: Visit, snapshot: Snapshot) -> PublicInput:
    """What the report is made from."""
    talk, population = visit.talk, population_of(visit.talk.population)
    words = Words(title=talk.topic, question=talk.description, organiser=talk.organiser, spoken=talk.language)
    sample = of_voters(sample_of(population, snapshot.answers), snapshot.conversation) if population else None
    analysis = snapshot.analysis
    assert analysis is not None, "somebody has voted"
    return PublicInput(analysis=analysis, words=words, sample=sample, stability=snapshot.stability, language=visit.say)


def _sections(visit: Visit, snapshot: Snapshot) -> Markup:
    given = given_of(visit, snapshot)
    # An escaping template made it.
    return Markup(templates().get_template("live.html.j2").render(page_of(given), **words_of(given)))  # noqa: S704


def _published(talk: Conversation) -> Conversation:
    """The votes on what people do not see stay, for results are checked with them; its words do not."""
    least = 1 if talk.strict_moderation else 0
    told = (one if one.moderated >= least else one.model_copy(update={"text": ""}) for one in talk.statements)
    return replace(talk, statements=tuple(told))


def _write_people(visit: Visit, path: Path) -> None:
    """What participants said of themselves, as `solon collect population` reads it."""
    population = population_of(visit.talk.population)
    assert population is not None, "there were questions"
    columns = [*dict.fromkeys((*population.attributes, *(one.column for one in population.screening)))]
    rows = sorted(answers(visit.db, visit.talk).items())
    write_csv(
        path, [PARTICIPANT, *columns], [(number, *(said.get(name, "") for name in columns)) for number, said in rows]
    )


def _archive(folder: Path) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.iterdir()):
            archive.writestr(zipfile.ZipInfo(path.name, EARLIEST), path.read_bytes(), zipfile.ZIP_DEFLATED)
    return data.getvalue()


PAGES = (
    page("/c/{slug}/results", results, Access.ANYONE, limit=LOOKS),
    page("/c/{slug}/report", report, Access.ANYONE, limit=LOOKS),
    page("/c/{slug}/export/{version}", export, Access.ORGANISER),
)
