"""Pages over runs: what they show is what the commands print, and only members see it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.applications import Starlette

from report.lineage_run import CHAIN, FIRST, lineage_run
from report.public_page import Element
from report.sample import sample_data
from report.test_data import write_run
from report.test_html import ATTACK, attacked
from solon.artifacts import stored
from solon.artifacts.live import progress_kept
from solon.artifacts.lock import FolderLock
from solon.artifacts.run_folder import RunFolder
from solon.artifacts.shards import encode_rows
from solon.config.run import RunConfig
from solon.evals.lexical import has_refusal_phrase
from solon.progress import Meter
from solon.records import Comparison, Dialogue, Prompt, Ranking, Record
from solon.report import wording
from solon.report.compare import words
from solon.report.compare.differences import compare_runs
from solon.report.html import report_policy
from solon.report.lineage.lineage import lineage
from solon.report.lineage.records import Step as Link
from solon.report.run.training import Step, read_steps, step_charts
from solon.web.runs import Runs
from solon.web.studio import comparing
from stages import begun
from web.visitor import Visitor, member_of, owner_of, site_in

DATA = sample_data(12)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two finished runs, one of public input, and one whose name and texts are an attack."""
    runs = tmp_path_factory.mktemp("runs")
    write_run(runs / "one", DATA)
    write_run(runs / "two", sample_data(10, steps=3))
    lineage_run(runs / "lineage").rename(runs / "town")
    write_run(runs / "<b>50% & #more", attacked(sample_data(2)))
    return runs


@pytest.fixture(scope="module")
def app(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Starlette:
    return site_in(tmp_path_factory.mktemp("site"), runs=folder)


@pytest.fixture(scope="module")
def member(app: Starlette) -> Visitor:
    return member_of(app, owner_of(app), "Ines")


def links(page: Element, part: str) -> list[str]:
    return [at for one in page.all("a") if part in (at := str(one.attributes.get("href")))]


def own(page: Element, tag: str, name: str) -> list[Element]:
    return [one for one in page.all(tag) if name in str(one.attributes.get("class")).split()]


def cards(visitor: Visitor, path: str) -> list[Element]:
    page = visitor.get(path)
    assert visitor.status == 200, page.text
    return own(page, "li", "card")


def all_cards(visitor: Visitor, path: str) -> list[Element]:
    """Of all pages."""
    found = cards(visitor, path)
    while later := [one for one in visitor.page.all("a") if one.attributes.get("rel") == "next"]:
        found += cards(visitor, path.partition("?")[0] + str(later[0].attributes["href"]))
    return found


def test_a_site_without_a_folder_of_runs_has_no_such_pages(tmp_path: Path) -> None:
    owner = owner_of(site_in(tmp_path / "site", runs=None))
    for path in ("/runs", "/runs/one", "/compare"):
        assert owner.get(path) and owner.status == 404
    assert not links(owner.get("/"), "/runs")


def test_members_see_runs_and_nobody_else(app: Starlette, member: Visitor) -> None:
    stranger = Visitor(app)
    assert links(member.get("/"), "/runs") and not links(stranger.get("/"), "/runs")
    for path in (
        "",
        "/one",
        "/one/live",
        "/one/report",
        "/one/files",
        "/one/read/chains",
        "/one/trace",
        "/one/nothing",
    ):
        assert stranger.get(f"/runs{path}") and stranger.status in (403, 404)
        assert "pair/" not in stranger.page.text and "sample" not in stranger.page.text
    assert stranger.get("/compare?first=one&second=two") and stranger.status == 403


def test_no_part_of_an_address_becomes_a_path(member: Visitor, folder: Path) -> None:
    outside = folder.parent / "outside"
    outside.mkdir(exist_ok=True)
    with RunFolder.create(outside / "run", RunConfig()):
        pass
    for name in ("..%2F..", "..%2Foutside%2Frun", "%2Fetc", "one%00", "one%2F..%2Ftwo", "ONE", "*"):
        assert member.get(f"/runs/{name}") and member.status in (400, 404), name
    for name in ("../outside/run", str(outside / "run"), "one/../two"):
        assert member.get(f"/compare?first=one&second={name}") and member.status == 404, name
    for shelf in ("..%2F..", "rows", "chains%2F..", "models%2Frl"):
        assert member.get(f"/runs/one/read/{shelf}") and member.status == 404


def test_a_run_with_an_odd_name_is_reached_by_its_links(member: Visitor) -> None:
    member.get("/runs")
    (at,) = links(member.page, "50%25")
    assert member.get(at) and member.status == 200 and member.heading == "<b>50% & #more"
    for to in links(member.page, "50%25"):
        assert member.get(to) and member.status == 200, to


def test_the_list_has_the_headlines_of_the_summary(member: Visitor) -> None:
    member.get("/runs")
    row = next(one for one in member.page.all("tr") if "one" in [each.text for each in one.all("a")])
    for kind, measure, _ in wording.HEADLINES:
        for rate in wording.rates(kind, measure, DATA.summary).values():
            assert rate and f"{wording.percent(rate.rate, 0)} {wording.interval(rate)}" in " ".join(row.text.split())
    assert "finished" in row.text and "scores" in row.text


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[tuple[Visitor, Path]]:
    """A run of its own that has only begun, and who looks at it."""
    folder = tmp_path / "runs" / "new"
    folder.parent.mkdir()
    with RunFolder.create(folder, RunConfig()):
        pass
    yield owner_of(site_in(tmp_path / "site", runs=folder.parent)), folder


def state(visitor: Visitor) -> str:
    visitor.get("/runs")
    return own(visitor.page, "span", "state")[0].text


def test_a_run_is_told_to_run_only_while_it_does(alone: tuple[Visitor, Path]) -> None:
    visitor, folder = alone
    assert state(visitor) == "stopped"
    lock = FolderLock(folder)
    assert state(visitor) == "running"
    assert own(visitor.get("/runs/new/live"), "div", "going")[0].attributes.keys() >= {"data-again"}
    lock.release()
    assert state(visitor) == "stopped"
    assert "data-again" not in own(visitor.get("/runs/new/live"), "div", "going")[0].attributes
    with pytest.raises(ValueError), progress_kept(folder, whole=True):
        assert state(visitor) == "killed", "nobody works there, and nothing says how it ended"
        raise ValueError("the disk is full")
    assert state(visitor) == "failed" and "the disk is full" in visitor.get("/runs/new").text
    with pytest.raises(KeyboardInterrupt), progress_kept(folder, whole=True):
        raise KeyboardInterrupt
    assert state(visitor) == "stopped"


class Trained(Record):
    """A step as RL keeps it, with more than is drawn."""

    step: int
    loss: float
    reward_mean: float
    kl: float
    entropy: float = 1.0


def test_a_run_that_goes_on_shows_its_rows_and_its_curves(alone: tuple[Visitor, Path]) -> None:
    visitor, folder = alone
    with RunFolder.create(folder, RunConfig()) as run:
        stage = begun(run, "models/rl")
        for step in (1, 2, 3):
            stage.step_log.add(step, Trained(step=step, loss=0.0, reward_mean=step / 4, kl=step / 2))
        with (folder / "models/rl/.partial/steps.jsonl").open("ab") as file:
            file.write(b'{"step": 4, "lo')  # a line that is being written
        with progress_kept(folder, whole=True) as hear:
            meter = Meter(name="models/rl", total_rows=40, clock=lambda: 0.0)
            meter.rows = 12
            hear(meter)
            page = visitor.get("/runs/new")
    assert "12 of 40" in page.text
    (bar,) = page.all("progress")
    assert (bar.attributes["value"], bar.attributes["max"]) == ("12", "40")
    tables = [one.rows for one in page.all("table") if one.attributes.get("id")]
    assert tables == [
        [["step", "Reward"], ["1", "0.25"], ["2", "0.50"], ["3", "0.75"]],
        [["step", "Distance from SL-CAI"], ["1", "0.50"], ["2", "1.00"], ["3", "1.50"]],
    ]


def test_curves_of_other_trainings_are_of_their_loss(tmp_path: Path) -> None:
    path = tmp_path / "steps.jsonl"
    path.write_bytes(encode_rows([Step(step=n, loss=1 / n) for n in (1, 2)]))
    (chart,) = step_charts("models/sl", read_steps(path))
    assert [(one.x, one.y) for one in chart.series[0].points] == [(1, 1.0), (2, 0.5)]
    assert step_charts("models/sl", read_steps(tmp_path / "none")) == []


def test_shards_of_a_stage_that_goes_on_can_be_read(alone: tuple[Visitor, Path]) -> None:
    visitor, folder = alone
    with RunFolder.create(folder, RunConfig()) as run:
        begun(run, "revisions").write_shard("rows", 0, DATA.revisions[:3])
        assert len(cards(visitor, "/runs/new/read/chains")) == 3
        begun(run, "revisions").write_shard("rows", 1, DATA.revisions[3:5])
        assert len(cards(visitor, "/runs/new/read/chains")) == 5


def of_articles() -> tuple[Prompt, Dialogue, Ranking]:
    """A scenario, what the assistant says to it and why, and a ranking of which one verdict could not be read."""
    said = {"prompt_id": "s", "principle_id": "theft"}
    scenario = Prompt.model_validate({"id": "s", "kind": "harmful", "turns": [{"role": "human", "text": "May I?"}]})
    texts = {
        "plain": "Cut the lock.",
        "answer": "Ask its owner.",
        "question": "Why so?",
        "explanation": "Locks are kept.",
    }
    dialogue = Dialogue.model_validate({"id": "d", **said, "shown": ["theft", "care"], **texts, "p_preferred": 0.75})
    pair = {"prompt_id": "s", "a": "Take it.", "b": "Ask.", "rater": "model", "objective": "harmlessness"}
    read = Comparison.model_validate({"id": "r/1", **pair, "p_a_preferred": 0.1})
    unread = Comparison.model_validate({"id": "r/2", **pair, "p_a_preferred": None, "unscored": "no verdict"})
    standing = {"answers": ["Take it.", "Ask."], "by_document": [0.1, 0.9], "by_article": [None, None]}
    labels = {"comparisons": [read], "article_comparisons": [unread]}
    return scenario, dialogue, Ranking.model_validate({"id": "r", **said, **standing, **labels})


def test_what_articles_made_is_read_as_cards_and_traced(alone: tuple[Visitor, Path]) -> None:
    visitor, folder = alone
    with RunFolder.create(folder, RunConfig()) as run:
        for name, file, row in zip(
            ("scenarios", "dialogues", "rankings"), ("prompts", "rows", "rows"), of_articles(), strict=True
        ):
            stage = begun(run, name)
            stage.write_records(file, [row])
            stage.finish()
    visitor.get("/runs/new")
    assert links(visitor.page, "/read/") == [f"/runs/new/read/{shelf}" for shelf in ("dialogues", "rankings")]
    (card,) = cards(visitor, "/runs/new/read/dialogues?kind=harmful&q=locks")
    steps = [one.text for one in own(card, "div", "step")]
    assert "May I?" in card.text and "articles before it: theft, care" in card.text
    for step, label, text in zip(
        steps,
        ("With no article before it · 25.0%", "With articles before it · 75.0%", "Why so?"),
        ("Cut the lock.", "Ask its owner.", "Locks are kept."),
        strict=True,
    ):
        assert label in step and text in step
    assert cards(visitor, "/runs/new/read/dialogues?q=nowhere") == []
    (card,) = cards(visitor, "/runs/new/read/rankings?grade=unscored&q=take")
    first, second = own(card, "div", "side")
    assert "90.0% by all · no verdict by its article" in first.text and first.text.endswith("Ask.")
    assert "won" in str(first.attributes["class"]) and "won" not in str(second.attributes["class"])
    assert "10.0% by all" in second.text and "Unscored: 1 of 2 verdicts" in card.text
    assert cards(visitor, "/runs/new/read/rankings?refusals=yes") == []
    for shelf in ("dialogues", "rankings"):
        cards(visitor, f"/runs/new/read/{shelf}")
        for to in links(visitor.page, f"id={shelf}") + links(visitor.page, "id=s"):
            assert visitor.get(to) and visitor.status == 200, to


def test_pages_have_25_rows_and_together_all_of_them(member: Visitor) -> None:
    found = cards(member, "/runs/one/read/chains")
    assert len(found) == 25 and "36 rows · page 1 of 2" in member.page.text
    everything = all_cards(member, "/runs/one/read/chains")
    asked = [one.attributes["data-prompt"] for one in everything]
    assert asked == [row.prompt_id for row in DATA.revisions]
    assert len(cards(member, "/runs/one/read/chains?page=99")) == 11, "the last one"
    for odd in ("-1", "x", "0", "²", "1" + "x" * 5000):
        assert len(cards(member, f"/runs/one/read/chains?page={odd}")) == 25


def test_a_page_reads_no_more_rows_than_it_shows(member: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    cards(member, "/runs/one/read/chains")
    read, before = [], stored.decode_rows
    monkeypatch.setattr(stored, "decode_rows", lambda *a, **k: read.append(1) or before(*a, **k))  # type: ignore[func-returns-value]
    assert len(cards(member, "/runs/one/read/chains?page=2")) == len(read) == 11


def test_filters_find_what_a_search_row_by_row_finds(member: Visitor) -> None:
    kinds = {name: prompt.kind for name, prompt in DATA.prompts.items()}
    harmful = {(one.model, one.item): one.has("harmful") for one in DATA.scores if one.grader == "oracle"}

    def shown(path: str) -> list[str]:
        return [str(one.attributes["data-prompt"]) for one in all_cards(member, f"/runs/one/read/{path}")]

    chains = [row.prompt_id for row in DATA.revisions]
    assert shown("chains?kind=mixed") == [one for one in chains if kinds[one] == "mixed"] != []
    last = [one for one in chains if harmful["assistant@4", one]]
    assert shown("chains?grade=harmful") == last and 0 < len(last) < len(chains)
    assert shown("chains?grade=harmless") == [one for one in chains if one not in last]
    assert shown("chains?grade=unscored") == []
    base = [row for row in DATA.answers["base"] if harmful["base", row.prompt_id]]
    assert shown("answers?stage=answers-base&grade=harmful") == [row.prompt_id for row in base] != []
    refused = [row.prompt_id for rows in DATA.answers.values() for row in rows if has_refusal_phrase(row.text)]
    assert shown("answers?refusals=yes") == refused
    unread = [row.prompt_id for row in DATA.comparisons if row.outcome == "unscored"]
    assert shown("comparisons?grade=unscored") == unread and 0 < len(unread) < len(DATA.comparisons)


def test_words_are_searched_in_all_texts_whatever_their_case(member: Visitor) -> None:
    def asked(query: str, shelf: str = "chains") -> list[str]:
        found = all_cards(member, f"/runs/one/read/{shelf}?q={query}")
        return [str(one.attributes["data-prompt"]) for one in found]

    every = [row.prompt_id for row in DATA.revisions]
    assert asked("TELLS+the") == every, "of critiques"
    assert asked("sponge+(3)") == [one for one in every if one.endswith(("mixed-3", "benign-3"))], "of prompts"
    assert asked("principle_id") == asked("nowhere") == [], "not the names of fields"
    (row,) = DATA.comparisons[4:5]
    assert asked(row.id.replace("/", "%2F"), "comparisons") == [row.prompt_id]
    text = DATA.revisions[7].rounds[3].revision.rpartition("number ")[2].removesuffix(".")
    assert DATA.revisions[7].prompt_id in asked(f"number+{text}")


def told(steps: tuple[Link, ...]) -> list[tuple[str, str]]:
    """Every link with its words, and every thing with its name, as one reads them."""
    found = []
    for step in steps:
        found.append((step.link, step.says))
        for one in step.things:
            found += [("thing", one.at), *told(one.steps)]
    return found


def test_a_trace_shows_what_the_command_finds_and_leads_on(member: Visitor, folder: Path) -> None:
    for name in (FIRST, CHAIN, "answers-rl/asked.evaluate-0", "statements/0", "models/rl", "theft.pairs-0"):
        found = lineage(folder / "town", name, most=10)
        page = member.get(f"/runs/town/trace?id={name}")
        assert member.status == 200 and found.thing.says in page.text
        marks = [one for one in page.all("span") if "link" in str(one.attributes.get("class")).split()]
        wanted = [one for one in told((*found.back, *found.forward)) if one[0] != "thing"]
        assert [str(one.attributes["class"]).removeprefix("link ") for one in marks] == [link for link, _ in wanted]
        assert all(says in page.text for _, says in wanted)
        names = [one.text for one in page.all("code")]
        assert names == [found.thing.at, *(at for kind, at in told((*found.back, *found.forward)) if kind == "thing")]
    for to in links(page, "/trace?"):
        assert member.get(to) and member.status == 200, to


def test_every_row_that_is_read_can_be_traced(member: Visitor) -> None:
    for shelf in ("chains", "answers", "comparisons", "rollouts"):
        cards(member, f"/runs/town/read/{shelf}")
        found = links(member.page, "/trace?")
        assert found
        for to in dict.fromkeys(found):
            assert member.get(to) and member.status == 200, to


def test_an_id_that_is_none_or_several_things_is_told_as_the_command_tells_it(member: Visitor) -> None:
    assert "nothing in" in member.get("/runs/town/trace?id=nobody").text and member.status == 404
    assert "3 things are called" in member.get("/runs/town/trace?id=asked.evaluate-0").text
    (said,) = (one for one in member.page.all("div") if one.attributes.get("role") == "alert")
    meant = [(one.text, str(one.attributes["href"])) for one in said.all("a")]
    assert len(meant) == 3
    for at, to in meant:
        thing = next(one for one in member.get(to).all("section") if one.attributes.get("aria-label") == at)
        assert member.status == 200 and at in thing.text


def test_two_runs_are_compared_by_the_numbers_of_the_command_and_once(
    member: Visitor, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, before = [], comparing.compare
    monkeypatch.setattr(comparing, "compare", lambda *a, **k: made.append(1) or before(*a, **k))  # type: ignore[func-returns-value]
    found = compare_runs(folder / "one", folder / "two")
    for _ in range(2):
        page = member.get("/compare?first=one&second=two")
        assert member.status == 200 and words.headline(found) in page.text
        rows = [one.text for table in own(page, "table", "differences") for one in table.all("tr")]
        for figure in found.figures:
            assert any(figure.title in row and words.difference(figure) in row for row in rows), figure.title
    assert made == [1] and str(folder) not in page.text
    assert member.get("/compare?first=one&second=town") and member.status == 409, "it is not finished"


def test_the_report_has_a_policy_of_its_own(member: Visitor) -> None:
    assert member.get("/runs/one/report") and member.status == 200
    policy = member.response.headers["content-security-policy"]
    assert policy.startswith(report_policy()) and "unsafe" not in policy and "frame-ancestors 'none'" in policy


def test_files_are_shown_with_what_they_were_made_from(member: Visitor, folder: Path) -> None:
    page = member.get("/runs/town/files")
    for one in Runs(folder).all():
        assert one.stamp
    for text in ("rows.jsonl", "critique_principles", "local:1234"):
        assert text in page.text


def test_no_text_of_a_run_becomes_markup(member: Visitor) -> None:
    member.get("/runs")
    (at,) = links(member.page, "50%25")
    for path in ("", "/files", "/read/chains", "/read/answers", "/read/comparisons", "/read/rollouts"):
        page = member.get(f"{at}{path}")
        assert member.status == 200
        assert all("src" in one.attributes and not one.text for one in page.all("script")) and not page.all("img")
        assert "style=" not in member.response.text and "onerror=alert" not in member.response.text.replace(
            "&lt;img src=x onerror=alert", ""
        )
    assert ATTACK.split("\u2028")[0] in member.get(f"{at}/read/answers").text, "it is there as text"


def test_a_run_that_cannot_be_read_is_told(alone: tuple[Visitor, Path]) -> None:
    visitor, folder = alone
    (folder / "run.json").write_text("{}")
    assert "not a run that this version" in visitor.get("/runs").text and visitor.status == 200
    assert visitor.get("/runs/new") and visitor.status == 409


def test_the_pages_import_no_torch(folder: Path, tmp_path: Path) -> None:
    script = """
import sys
from pathlib import Path
from web.visitor import owner_of, site_in
owner = owner_of(site_in(Path(sys.argv[2]), runs=Path(sys.argv[1])))
for path in ("/runs", "/runs/one", "/runs/one/report", "/runs/one/files", "/runs/one/read/chains?q=the&grade=harmful",
             "/runs/one/trace?id=no-harm", "/compare?first=one&second=two"):
    owner.get(path)
    assert owner.status == 200, owner.page.text
sys.exit(", ".join(name for name in ("torch", "transformers") if name in sys.modules) or 0)
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", script, folder, tmp_path]
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert (done.returncode, done.stderr) == (0, "")
