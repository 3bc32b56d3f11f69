"""What moved, by arithmetic that can be done by hand; and the page that tells it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from report.public_page import read_page
from solon.constitution.load import load_constitution
from solon.constitution.principles import Constitution, Principle
from solon.evals.contest import Objective
from solon.evals.statistics import Interval
from solon.figures.results import Results, Texts
from solon.figures.tasks import Arm, Place
from solon.pipeline.labelled import RunLabels
from solon.records import Comparison as Label
from solon.records import Prompt
from solon.town.arena import Judged, Standing
from solon.town.collect import Chosen, Collected, LeftOut
from solon.town.compare import Comparison, Pair, Row, compare, points, stands
from solon.town.page import Town, chart, headline, render, sentences
from solon.town.public import the_public
from solon.town.train import STANDARD, public_arm, tasks
from solon.world.lexicon import lexicon
from solon.world.prompts import world_prompts

PUBLIC = Arm(name="public", title="The public's constitution")
RUDE, SERMON = lexicon().phrases["rude"][0], lexicon().phrases["preachy"][0]
GOOD = lexicon().phrases["opener"][0]
EVASION = lexicon().phrases["evasive"][0]


def asked(seed: int) -> list[Prompt]:
    """Four prompts of each of two kinds."""
    return [one for kind in ("benign", "harmful") for one in world_prompts(kind, 4, split="evaluation", seed=seed)]


@dataclass(frozen=True, kw_only=True)
class Given(Results):
    """Answers that are written down here."""

    texts: Mapping[str, Mapping[int, Texts]]

    def prompts(self, arm: Arm, seed: int) -> dict[str, Prompt]:
        return {one.id: one for one in asked(seed)}

    def answers(self, arm: Arm, model: str) -> dict[int, Texts]:
        return dict(self.texts[arm.name])

    def labels(self, arm: Arm, seed: int) -> RunLabels:
        """Of pairs: two that differ in rudeness alone, one of them the other way round, one of which no verdict was
        read, and one that differs in two faults."""
        p = 0.6 if arm == STANDARD else 0.9
        texts = (
            (RUDE, GOOD, 1 - p),
            (GOOD, f"{RUDE} {GOOD}", p - 0.1),
            (RUDE, GOOD, None),
            (f"{RUDE} {SERMON}", GOOD, 0),
        )
        found, prompt = RunLabels(run=Path(), given=None), asked(seed)[0]  # type: ignore[arg-type]
        said = {"prompt_id": prompt.id, "rater": "model", "objective": "harmlessness"}
        rows = [
            {
                **said,
                "id": f"{nth}",
                "a": a,
                "b": b,
                "p_a_preferred": p,
                "unscored": "no verdict" if p is None else None,
            }
            for nth, (a, b, p) in enumerate(texts)
        ]
        found.__dict__.update(rows=[Label.model_validate(row) for row in rows], prompts={prompt.id: prompt})
        return found


def collected(agreed: str = "There should be no rudeness in the answers.") -> Collected:
    left_out = LeftOut(text="There should be no preaching.", about=("preachy",), shares=(0.9, 0.1), why="no majority")
    return Collected(
        people=20,
        statements=2,
        votes=40,
        groups=(11, 9),
        mostly=("hill", "harbour"),
        districts=(10, 10),
        likeness=0.8,
        placed=0.95,
        chosen=(Chosen(id="statement-0", text=agreed, about=("rude",), consensus=0.9),),
        left_out=(left_out,),
        objections={"0": ("rude", "preachy"), "1": ("rude",)},
    )


def pair(standard: str, public: str, seeds: tuple[int, ...] = (0, 1)) -> Pair:
    """Every answer of a model is the same."""
    place = Place(runs=None, dose="town", seeds=seeds, models=(), items=0)  # type: ignore[arg-type]
    ids = [one.id for one in asked(0)]
    texts = {
        name: {seed: dict.fromkeys(ids, text) for seed in seeds}
        for name, text in ((STANDARD.name, standard), (PUBLIC.name, public))
    }
    return Pair(results=Given(place=place, texts=texts), standard=STANDARD, public=PUBLIC)


def row_of(found: Comparison, key: str) -> Row:
    return next(row for row in found.rows if row.key == key)


def test_each_row_is_the_share_of_each_model_and_their_difference() -> None:
    """Eight prompts under two seeds; all rude against none: the difference is -1, and no seed differs from another."""
    found = compare(pair(f"{RUDE} {SERMON}", SERMON), collected(), load_constitution("only-harm"))
    rude = row_of(found, "rude")
    assert (rude.standard.value, rude.public.value, rude.difference.value, rude.n) == (1.0, 0.0, -1.0, 16)
    # By hand: eight values of -1 and the two ends -1 and 1 have a variance of 0.4; of the mean of two seeds' means it
    # is (0.4 / 8 + 0.4 / 8) / 4 = 0.025, and 1.96 times its root is 0.3099.
    assert rude.difference.high == pytest.approx(-1 + 0.3099, abs=1e-4)
    assert rude.outcome == "moved" and rude.as_asked is True
    preachy = row_of(found, "preachy")
    assert preachy.standard.value == preachy.public.value == 1.0
    assert preachy.outcome == "did not move" and preachy.as_asked is True
    assert found.as_asked and "moved where the public agrees" in headline(found)


def test_what_was_asked_and_not_done_is_said() -> None:
    found = compare(pair(RUDE, f"{RUDE} {SERMON}"), collected(), load_constitution("only-harm"))
    assert row_of(found, "rude").as_asked is False
    assert row_of(found, "preachy").outcome == "moved the other way" and row_of(found, "preachy").as_asked is False
    assert not found.as_asked and "did not do all" in headline(found)
    rude, preachy, bound = sentences(found)
    assert rude.endswith("did not move: not as asked.") and preachy.endswith("moved, to more: not as asked.")
    # By hand, as above: 1 and 0.3099 more, cut at what a difference can be; and of what all agree on nothing.
    assert "Preachy answers: no constitution names them" in bound and "100.0 points at most" in bound
    assert bound.endswith("beside 0.0 of what all agree on.")


def test_labels_are_told_of_pairs_that_differ_in_one_fault_alone() -> None:
    """The mean of 0.6 and 0.5, of 0.9 and 0.8, under two seeds of both runs; where groups differ, in a sentence."""
    found = compare(pair(RUDE, SERMON), collected(), load_constitution("only-harm"))
    (rude,) = found.labels
    assert (rude.key, rude.n) == ("rude", 8)
    assert (rude.standard, rude.public) == (pytest.approx(0.55), pytest.approx(0.85))
    split = found.model_copy(update={"labels": (rude.model_copy(update={"key": "preachy"}),)})
    assert sentences(split)[-1].endswith("0.55 in the standard's runs and 0.85 in the public's; 0.5 teaches nothing.")
    assert sentences(found)[-1].endswith("of what all agree on.")


def test_a_group_is_represented_by_answers_without_what_it_wants_none_of() -> None:
    found = compare(pair(EVASION, SERMON), collected(), load_constitution("only-harm"))
    assert row_of(found, "group-0").difference.value == -1.0
    assert row_of(found, "group-1").difference.value == 0.0


def test_where_each_fault_stands() -> None:
    found = collected()
    assert stands(found, load_constitution("only-harm")) == {
        "harm": "other", "rude": "agreed", "evasive": "other", "preachy": "split",
    }  # fmt: skip
    assert stands(found, load_constitution("world"))["rude"] == "both"
    silent = Principle(id="a", title="a", comparison_question="Which response contains less preaching?")
    named = Constitution(name="n", title="n", description="d", principles=(silent,))
    assert stands(found, named)["preachy"] == "other"


@pytest.mark.parametrize(
    ("low", "high", "outcome"), [(-0.3, -0.1, "moved"), (-0.3, 0.0, "did not move"), (0.1, 0.3, "moved the other way")]
)
def test_a_move_leaves_out_zero(low: float, high: float, outcome: str) -> None:
    one = Interval(value=(low + high) / 2, low=low, high=high)
    row = Row(key="k", title="t", stands_for="", kinds=(), standard=one, public=one, difference=one, n=1)
    assert row.outcome == outcome and row.as_asked is None


def test_points() -> None:
    assert points(Interval(value=-0.042, low=-0.061, high=0.023), signed=True) == "-4.2 (-6.1 to +2.3)"


def test_the_chart_shows_every_fault_with_its_interval() -> None:
    drawn = chart(compare(pair(RUDE, SERMON), collected(), load_constitution("only-harm")))
    assert list(drawn.names.values()) == ["rude", "preachy"]
    assert [len(one.points) for one in drawn.series] == [1, 1]
    assert drawn.series[0].points[0].y == -100.0 and "-100" in str(drawn.svg).replace("\u2212", "-")
    names = [float(x) for x, _ in re.findall(r'<text[^>]* x="([\d.]+)"[^>]*>(rude|preachy)<', str(drawn.svg))]
    whiskers = [float(x) for x in re.findall(r'class="whisker[^"]*"[^>]*M([\d.]+)', str(drawn.svg))]
    assert whiskers == pytest.approx(names), "each above its name"


def said(objective: Objective, group: str | None, rating: float, low: float | None, high: float | None) -> Standing:
    counts = {"people": 9, "wins": 3, "alike": 1, "losses": 2}
    return Standing(objective=objective, group=group, rating=rating, low=low, high=high, **counts)


def test_the_page_tells_all_of_it_and_trusts_nobody() -> None:
    hostile = "<script>alert(1)</script> & “more”"
    found = collected(hostile)
    town = Town(
        public=the_public(),
        found=found,
        comparison=compare(pair(RUDE, SERMON), found, load_constitution("only-harm")),
        judged=Judged(
            answers_sha256="",
            pairs=3,
            rows=(said("harmlessness", None, 80.0, 35.2, None), said("helpfulness", "1", -5.0, -9.0, -1.0)),
        ),
        standard="only-harm",
        commands=["solon collect import x -o y"],
        answer=hostile,
        trace=hostile,
        links=[("The public’s report", "conversation/report.html")],
    )
    html = render(town)
    page = read_page(html)
    assert "<script" not in html and page.text.count("alert(1)") == 3
    assert [one.attributes["href"] for one in page.all("a") if "report" in one.text] == ["conversation/report.html"]
    assert "People prefer the public’s answers: +80 (+35 to open) Elo points" in page.text
    (table,) = (one.rows for one in page.all("table") if one.rows[0][0] == "Who")
    assert table[1] == ["Everybody", "Which answer does less harm?", "+80 (+35 to open)", "3", "1", "2", "9"]
    assert table[2][:3] == ["Group 1, mostly harbour", "Which answer is more helpful?", "-5 (-9 to -1)"]
    (taught,) = (one.rows for one in page.all("table") if one.rows[0][0] == "Fault")
    assert taught[1:] == [["rude", "0.55", "0.85", "8"]]
    assert "Rude answers" in page.text and "cannot be measured on the embedded model" in page.text
    assert len([one for one in page.all("svg") if one.attributes.get("role") == "img"]) == 1
    assert "http" not in html.replace("http-equiv", "").replace("http://www.w3.org/2000/svg", "")


def test_both_runs_wait_for_what_they_share_and_differ_by_the_constitution_alone(tmp_path) -> None:  # type: ignore[no-untyped-def]
    place = Place(runs=tmp_path, dose="town-quick", seeds=(0, 1), models=("embedded",), items=0)
    arm = public_arm(tmp_path / "public.toml")
    made = tasks(place, arm)
    assert [one.name for one in made if not one.after] == ["standard-0 up to helpful", "standard-1 up to helpful"]
    runs = [one for one in made if one.arguments[0] == "run"]
    assert [one.name for one in runs] == ["standard-0", "public-0", "standard-1", "public-1"]
    assert not any(one.done for one in made)
    standard, public = place.config(STANDARD, 1), place.config(arm, 1)
    assert public.constitution.path == str(tmp_path / "public.toml") != standard.constitution.path
    same = {"constitution": standard.constitution}
    assert public.model_copy(update=same) == standard
