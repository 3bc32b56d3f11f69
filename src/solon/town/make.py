"""The whole of it in its order; what was made before is found again."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from solon.artifacts.atomic import canonical_json, write_atomic
from solon.config.load import load_run_config
from solon.constitution.load import load_constitution
from solon.errors import RunError, Where
from solon.figures.measures import read
from solon.figures.results import Results
from solon.figures.tasks import Arm, Place, Task
from solon.figures.work import do_tasks
from solon.progress import Reporter
from solon.records import Answer, Prompt
from solon.text import excerpt
from solon.town.arena import Judged, people_judge
from solon.town.collect import Collected, Folder, collect, collected, said_by, steps, typed
from solon.town.compare import FAULTS, FINAL, Comparison, Pair, compare
from solon.town.leash import LAUNCH
from solon.town.page import Town, write_page
from solon.town.public import Public
from solon.town.site import served
from solon.town.train import STANDARD, place_of, public_arm, tasks
from solon.town.vote import hold
from solon.town.wording import write_worded

PAGE = "index.html"
NONE_BETTER = (
    "No answer of the public’s model is free of the faults that are compared where the standard model’s has one. This "
    "is the first of all. "
)
VOTING_SEED = 0
"""Of what people vote: one public for all models."""


@dataclass(frozen=True, kw_only=True)
class Order:
    """What the user asks for."""

    folder: Path
    dose: str
    seeds: int
    public: Public
    jobs: int
    threads: int


@dataclass(frozen=True, kw_only=True)
class Made:
    """What came out."""

    page: Path
    found: Collected
    comparison: Comparison
    judged: Judged
    trace: str
    """The command that leads from one answer to its votes."""
    serve: str
    """The command that shows the runs."""


def make_town(order: Order, reporter: Reporter) -> Made:
    """Votes, constitution, models, comparison, page."""
    talk = Folder(path=order.folder / "conversation")
    talk.path.mkdir(parents=True, exist_ok=True)
    vote(order.public, talk, reporter)
    collect(talk, order.public, reporter)
    found = collected(talk, order.public)
    for line in told(found):
        reporter.note(line)
    config = load_run_config(order.dose)
    place = place_of(order.folder, order.dose, order.seeds, config.models.assistant.path)
    write_worded(talk.constitution, talk.model)
    arm = public_arm(talk.model)
    todo = tasks(place, arm)
    at_once = {"jobs": order.jobs, "threads": order.threads}
    for failure in do_tasks(todo, place.runs, reporter, launch=LAUNCH, what="both models", **at_once).values():
        raise failure
    pair = Pair(results=Results(place=place), standard=STANDARD, public=arm)
    comparison = compare(pair, found, load_constitution(config.constitution.path))
    write_atomic(order.folder / "comparison.json", canonical_json(comparison, indent=2))
    where = order.folder / f"arena-{place.runs.name}"
    judged = people_judge(where, talk, order.public, VOTING_SEED, pair, found, reporter)
    return _page(order, talk, found, comparison, judged, pair, todo)


def vote(public: Public, talk: Folder, reporter: Reporter) -> None:
    """On the site, unless that was done. A vote that was not over begins anew on another site, and so does one whose
    site is gone; what was made of its export is then made again."""
    total = sum(public.size for one in public.statement if not one.rejected)
    reporter.stage("votes on the site", total)
    if talk.export.is_dir() and talk.site.is_dir():
        reporter.recovered(total)
    else:
        lock = Lock()

        def tell(votes: int) -> None:
            with lock:
                reporter.advance(votes, 0)

        for begun in (talk.site, talk.browsers, talk.export):
            shutil.rmtree(begun, ignore_errors=True)
        for said in talk.path.glob("said-*.txt"):
            said.unlink()
        with served(talk.site) as site:
            hold(public, VOTING_SEED, site, talk.export, talk.browsers, tell)
    reporter.end_stage()


def told(found: Collected) -> Iterator[str]:
    """What the votes came to, in lines."""
    sizes, homes = (" and ".join(map(str, those)) for those in (found.groups, found.districts))
    yield f"{found.statements} statements, {found.votes:,} votes of {found.people} people"
    yield (
        f"opinion groups of {sizes}, districts of {homes}: {100 * found.placed:.0f}% placed rightly, "
        f"adjusted Rand index {found.likeness:.2f}"
    )
    yield f"constitution: {len(found.chosen)} principles; all agree on: {', '.join(found.agreed)}"
    splits = [one.text for one in found.left_out if one.splits]
    yield f"left out: {len(found.left_out)} statements, {len(splits)} of which split the groups: {' '.join(splits)}"


@dataclass(frozen=True, kw_only=True)
class _Followed:
    """One answer of the public's model, and how to trace it."""

    arguments: Sequence[str]
    words: str


def _followed(pair: Pair) -> _Followed:
    """The first answer of the public's model, under the first seed, that has none of the faults that are compared where
    the standard model's has one; the first of all, if there is none, and then the page says so. Raises RunError where
    both have answered nothing."""
    seed = pair.results.seeds[0]
    standard, public = (_answers(pair.results, arm, seed) for arm in (pair.standard, pair.public))
    prompts = pair.results.prompts(pair.public, seed)
    both = [name for name in public if name in standard]
    if not both:
        raise RunError("both models have answered no prompt in common", where=Where(pair.results.place.runs))
    better = next((name for name in both if _better(prompts[name], standard[name].text, public[name].text)), None)
    name = better or both[0]
    asked, answer = prompts[name].turns[-1].text, public[name]
    words = ("" if better else NONE_BETTER) + (
        f"Asked “{excerpt(asked, 200)}”, the standard model says: “{excerpt(standard[name].text, 200)}” "
        f"The public’s model says: “{excerpt(answer.text, 200)}”"
    )
    run = str(pair.results.place.run(pair.public, seed))
    return _Followed(arguments=["trace", f"answers-{FINAL}/{answer.id}", "--run", run, "-n", "1"], words=words)


def _answers(results: Results, arm: Arm, seed: int) -> Mapping[str, Answer]:
    return {row.prompt_id: row for row in results.stage(arm, seed, f"answers-{FINAL}").rows("rows", Answer)}


def _better(prompt: Prompt, standard: str, public: str) -> bool:
    worse, better = (any(measure(prompt, text) for _, measure in FAULTS.values()) for text in (standard, public))
    return worse and not better and not read(prompt, public).malformed


def _page(
    order: Order,
    talk: Folder,
    found: Collected,
    comparison: Comparison,
    judged: Judged,
    pair: Pair,
    todo: Sequence[Task],
) -> Made:
    page, place, followed = order.folder / PAGE, pair.results.place, _followed(pair)
    town = Town(
        public=order.public,
        found=found,
        comparison=comparison,
        judged=judged,
        standard=load_run_config(order.dose).constitution.path,
        commands=[*map(typed, steps(talk, order.public.organiser).values()), *(task.command for task in todo)],
        answer=followed.words,
        trace=f"$ {typed(followed.arguments)}\n{said_by(followed.arguments)}",
        links=list(_links(order.folder, talk, place, pair)),
    )
    write_page(town, page)
    trace, serve = typed(followed.arguments), typed(["serve", "--runs", str(order.folder)])
    return Made(page=page, found=found, comparison=comparison, judged=judged, trace=trace, serve=serve)


def _links(folder: Path, talk: Folder, place: Place, pair: Pair) -> Iterator[tuple[str, str]]:
    yield "The public’s report", str(talk.report.relative_to(folder))
    for seed in place.seeds:
        for arm in (pair.standard, pair.public):
            run = place.run(arm, seed).relative_to(folder)
            yield f"{arm.title}, seed {seed}: the report of its run", str(run / "report.html")
