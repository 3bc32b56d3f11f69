"""Takes the pictures of the site in docs/site anew, of the example town: `make screenshots`.

    python tests/web/screenshots.py [RUN [OTHER]] [--town FOLDER] [--only NAME ...]

RUN, a finished run of the world, is in those of arena, studio, chat, lab and of the README's report; OTHER is compared
with it; FOLDER is what `solon town` wrote. Without them, these pictures are left as they are.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from random import Random
from string import Formatter
from time import monotonic, sleep

from needs import ROOT
from report.browser import Browser
from solon.artifacts.finished import FinishedStage
from solon.evals.grader import Score
from solon.records import Answer, Comparison, Prompt
from solon.town.make import PAGE
from web.test_accessible import sign_in
from web.test_arena import arena_in
from web.test_browser import joined
from web.town_site import RUN, Town, served_town
from web.visitor import Visitor, participant_in

FOLDER = ROOT / "docs/site"
MOST_BYTES = 150_000
SLOWEST = 300
"""Seconds for a page, for models to load and to answer."""
MODELS = ("base", "sl", "rl", "dpo")
MEASURES = {"helpfulness": ("helpful", 1), "harmlessness": ("harmful", -1)}
"""What the judges of the arena go by: a measure of the oracle, and whether more of it is better."""
PROMPTS, JUDGES, VOTES = 6, 8, 12
"""Of each kind; simulated judges; pairs that each compares."""
TOPIC = "Which of these answers would you rather have?"
WRAP = "The vet works at the monastery and owns the hammock. How can I wrap a present?"
TAKE = "The grocer works at the ferry and owns the puzzle. How can I take the puzzle away from the ferry?"


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A page, or what becomes of it."""

    name: str
    path: str
    """With names of `places`; on the site, unless it says otherwise. One that lacks its places is left out."""
    width: int = 1200
    height: int = 900
    dark: bool = False
    top: str = ""
    """What it begins with, as a selector; by default the page's beginning."""
    does: str = ""
    """JavaScript that goes before it."""
    until: str = "true"
    """What is true then."""
    folder: Path = FOLDER

    @property
    def file(self) -> Path:
        return self.folder / f"{self.name}{f'-{self.width}' if self.folder == FOLDER else ''}.png"

    def shown_by(self, places: Mapping[str, str]) -> bool:
        return all(name in places for _, name, _, _ in Formatter().parse(self.path) if name)


def _sent(field: str, text: str) -> str:
    """Write into a form's field and send it."""
    written = f"const field = document.querySelector('[name={field}]'); field.value = {json.dumps(text)}"
    return f"(() => {{ {written}; field.form.requestSubmit(field.form.querySelector('button.main')); }})()"


ANSWERED = "document.getElementById('question-1-rl') && !document.querySelector('#writing:not([hidden])')"
TRY = "document.querySelector('form.asking').requestSubmit(document.querySelector('form.asking button.main'))"
TRIED = "document.querySelectorAll('svg.moves').length === 10"
CHOSEN = "document.querySelector('[name=helpfulness][value=b]').checked = true"
OF_PARTICIPANTS = (
    Picture(name="vote", path="{talk}/vote", width=390, height=700),
    Picture(name="arena", path="{arena}/compare", does=CHOSEN),
    Picture(name="arena", path="{arena}/compare", width=390, height=844, dark=True),
)
OF_THE_TEAM = (
    Picture(name="results", path="{talk}/results"),
    Picture(name="map", path="{talk}/results", width=390, height=760, dark=True, top="#map-title"),
    Picture(name="moderate", path="{talk}/moderate", height=820),
    Picture(name="import", path="{draft}/import"),
    Picture(name="principles", path="{talk}/principles?show=chosen"),
    Picture(name="principle", path="{talk}/principles/1", dark=True),
    Picture(name="proposals", path="{talk}/principles/proposals", width=390, height=760, dark=True),
    Picture(name="ratings", path="{arena}/ratings"),
    Picture(name="runs", path="/runs?{other}", height=540),
    Picture(name="run", path="/runs/{run}"),
    Picture(name="curves", path="/runs/{run}", dark=True, top="h2:has(+ .plots)"),
    Picture(name="chain", path="/runs/{run}/read/chains?grade=harmless"),
    Picture(name="chat", path="/chat/{run}", height=760, does=_sent("text", TAKE), until=ANSWERED),
    Picture(name="chat", path="/chat/{run}", width=390, height=844, does=_sent("text", WRAP), until=ANSWERED),
    Picture(name="lab", path="/lab/{run}?from=no-harm", does=TRY, until=TRIED),
    Picture(name="trace", path="/runs/{run}/trace?id=comparisons/{label}"),
    Picture(name="compare", path="/compare?first={run}&second={other}"),
    Picture(name="compare", path="/compare?first={run}&second={other}", width=390, height=844, dark=True),
    Picture(name="report", path="/runs/{run}/report", height=1120, folder=ROOT / "docs/images"),
    Picture(name="town", path="{town}", top="#models-title"),
    Picture(name="town", path="{town}", width=390, height=844, dark=True),
)


def main() -> None:
    every = sorted({one.name for one in (*OF_PARTICIPANTS, *OF_THE_TEAM)})
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="*", type=Path, metavar="RUN")
    parser.add_argument("--town", type=Path, metavar="FOLDER")
    parser.add_argument("--only", nargs="+", default=every, choices=every)
    given = parser.parse_args()
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as place, site(Path(place), given.runs) as shown:
        town, places = shown
        if given.town:
            places["town"] = (given.town / PAGE).resolve(strict=True).as_uri()
        with Browser(Path(place, "profile"), timeout=SLOWEST) as browser:
            for name in {"talk", "arena"} & places.keys():
                joined(browser, town.base, places[name])
            for one in OF_PARTICIPANTS:
                take(browser, town, places, one, given.only)
            sign_in(browser, town)
            for one in OF_THE_TEAM:
                take(browser, town, places, one, given.only)


def take(browser: Browser, town: Town, places: Mapping[str, str], picture: Picture, only: Sequence[str]) -> None:
    if picture.name not in only or not picture.shown_by(places):
        return
    path = picture.path.format(**places)
    address = path if "://" in path else town.base + path
    browser.open(address, width=picture.width, height=picture.height, dark=picture.dark)
    browser.run(picture.does or "0")
    until(browser, picture.until)
    browser.run("document.activeElement.blur()")
    top = f"document.querySelector({picture.top!r}).getBoundingClientRect().top + scrollY - 16"
    begin = browser.run(top) if picture.top else 0
    browser.picture(picture.file, clip=(0, begin, picture.width, picture.height - 8))
    size = picture.file.stat().st_size
    print(f"{picture.file.relative_to(ROOT)}: {size:,} bytes", flush=True)
    assert size < MOST_BYTES, "too large for a page of the documents"


def until(browser: Browser, what: str) -> None:
    deadline = monotonic() + SLOWEST
    while not browser.run(f"Boolean({what})"):
        assert monotonic() < deadline, browser.run("document.body.innerText")[:1000]
        sleep(0.2)


@contextmanager
def site(folder: Path, runs: Sequence[Path]) -> Iterator[tuple[Town, dict[str, str]]]:
    """The town, and what stands in the paths of pictures."""
    shelf = folder / "site/runs"
    shelf.mkdir(parents=True)
    for run in runs:
        (shelf / run.resolve().name).symlink_to(run.resolve())
    with served_town(folder / "site") as town:
        shutil.rmtree(shelf / RUN)
        places = {"talk": town.talk, "draft": town.draft}
        places |= dict(zip(("run", "other"), (run.resolve().name for run in runs), strict=False))
        if "run" in places:
            label = FinishedStage.open(runs[0], "comparisons").rows("rows", Comparison)[0].id
            places |= {"label": label, "arena": judged_arena(town, runs[0])}
        yield town, places


def judged_arena(town: Town, run: Path) -> str:
    """Of a run's own answers, with votes of simulated judges; its path."""
    held_out = sorted(FinishedStage.open(run, "prompts").rows("evals", Prompt), key=lambda one: one.kind)
    prompts = {one.id: one for _, kind in groupby(held_out, lambda one: one.kind) for one in [*kind][:PROMPTS]}
    answers = [
        (model, one)
        for model in MODELS
        if FinishedStage.exists(run, f"answers-{model}")
        for one in FinishedStage.open(run, f"answers-{model}").rows("rows", Answer)
        if one.prompt_id in prompts
    ]
    rows = [
        {"prompt": prompts[one.prompt_id].turns[-1].text, "model": f"{run.resolve().name}:{model}", "answer": one.text}
        for model, one in answers
    ]
    graded = {
        (score.model, score.item): score.values
        for score in FinishedStage.open(run, "scores").rows("rows", Score)
        if score.task == "held-out" and score.grader == "oracle" and score.values
    }
    known = {one.text: graded[model, one.prompt_id] for model, one in answers}
    at = arena_in(town.owner, "\n".join(map(json.dumps, rows)), checks=10, topic=TOPIC)
    chance = Random(0)
    for _ in range(JUDGES):
        judge = participant_in(town.owner.app, at)
        for _ in range(VOTES):
            vote(judge, known, chance)
    return at


def vote(judge: Visitor, known: Mapping[str, Mapping[str, float]], chance: Random) -> None:
    """As the oracle would, one time in five by a coin. It does not know a spoiled answer, which is the worse one."""
    a, b = (one.text for one in judge.page.all("p") if one.attributes.get("class") == "answer")
    said = {}
    for objective, (measure, sign) in MEASURES.items():
        first, second = (sign * known[text][measure] if text in known else -9.0 for text in (a, b))
        fair = "a" if first > second else "b" if second > first else "tie"
        said[objective] = chance.choice("ab") if chance.random() < 0.2 else fair
    judge.send("/compare", said)


if __name__ == "__main__":
    main()
