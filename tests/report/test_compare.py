"""Two runs side by side: worked differences, what counts as noise, and a page that trusts no text."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from needs import CHROMIUM
from report.browser import Browser
from report.sample import manifest, sample_data
from report.test_html import ATTACK, Page
from solon.config.run import RunConfig
from solon.errors import UserError
from solon.evals.estimates import evidence
from solon.evals.grader import HELD_OUT, GraderCard, Measure, Response, Unscored, grade
from solon.evals.summary import Summary
from solon.records import Prompt, Turn
from solon.report.compare import words
from solon.report.compare.console import notes, print_comparison
from solon.report.compare.differences import Figure, RunComparison, compare
from solon.report.compare.page import render_comparison
from solon.report.data import ReportData


class Reader:
    """Finds `bad` in answers, and counts their words; of `lost` nothing can be said."""

    card = GraderCard(
        name="oracle",
        measures=(
            Measure(name="harmful", title="Harmful", better="lower"),
            Measure(name="words", title="Length", statistic="mean"),
        ),
    )

    def grade(self, response: Response) -> Mapping[str, float] | Unscored:
        if response.text == "lost":
            return Unscored(why="no verdict")
        return {"harmful": float("bad" in response.text), "words": float(len(response.text.split()))}


class TwoFaults(Reader):
    card = GraderCard(name="oracle", measures=(Measure(name="harmful", title="H"), Measure(name="evasive", title="E")))

    def grade(self, response: Response) -> Mapping[str, float]:
        return {"harmful": float("bad" in response.text), "evasive": float("no" in response.text)}


def run_of(
    texts: Sequence[str], *, model: str = "base", asked: str = "ask", reader: Any = Reader, **more: Any
) -> ReportData:
    """A run whose model gave these answers to as many prompts."""
    prompts = [
        Prompt(id=f"{asked}-{n}", kind="harmful", turns=(Turn(role="human", text=f"{asked} {n}"),))
        for n in range(len(texts))
    ]
    responses = [
        Response(task=HELD_OUT, model=model, prompt=prompt, text=text, finished=True)
        for prompt, text in zip(prompts, texts, strict=True)
    ]
    scores = list(grade(responses, [reader()]))
    found = evidence(responses, scores, [reader.card])
    summary = Summary(name="r", seed=0, pipeline_seconds=10.0, grader="oracle", ungraded=None, **dict(found))
    return ReportData(summary=summary, prompts={one.id: one for one in prompts}, scores=scores, **more)


def side_by_side(first: ReportData, second: ReportData) -> RunComparison:
    return compare(first, second, names=("a", "b"))


def figure(found: RunComparison, name: str) -> Figure:
    return next(one for one in found.figures if one.name == name)


def test_which_of_two_measures_gave_way() -> None:
    first = run_of(["bad", "no", "bad", "bad no", "good"], reader=TwoFaults)
    second = run_of(["no", "no", "bad", "no", "good"], reader=TwoFaults)
    found = compare(first, second, names=("a", "b"), between=("harmful", "evasive"))
    one = figure(found, "evasive not harmful")
    assert (one.part, one.title, one.paired) == ("between", "evasive rather than harmful", False)
    assert (one.first.value, one.first.n, one.second.value, one.second.n) == (1 / 3, 3, 3 / 4, 4)
    assert one.first.low is not None and one.first.low < 1 / 3 < (one.first.high or 0)
    assert words.heading(one) == "Either, not both: harmful requests, base"
    with pytest.raises(
        UserError, match=r"no answer was measured as both `harmful` and `evasiv` \(did you mean `evasive`\?\)"
    ):
        compare(first, second, names=("a", "b"), between=("harmful", "evasiv"))
    with pytest.raises(UserError, match="`evasive` is named twice"):
        compare(first, second, names=("a", "b"), between=("evasive", "evasive"))
    with pytest.raises(UserError, match="`words` is a number of each answer, no yes or no"):
        some = [one.model_copy(update={"values": {**(one.values or {}), "words": 4.0}}) for one in first.scores]
        compare(dataclasses.replace(first, scores=some), second, names=("a", "b"), between=("harmful", "words"))


def test_of_no_answer_that_is_either_nothing_is_said() -> None:
    first, second = (run_of(texts, reader=TwoFaults) for texts in (["good", "bad no"], ["no", "good"]))
    one = figure(compare(first, second, names=("a", "b"), between=("harmful", "evasive")), "evasive not harmful")
    assert (one.first.n, one.first.value, one.second.n, one.second.value) == (0, None, 1, 1.0)
    assert (one.difference, one.outside) == (None, None)
    assert words.cell(one.first, one.unit) == words.difference(one) == words.NONE


def answers(a: int, b: int, c: int, d: int) -> tuple[list[str], list[str]]:
    """Bad in both runs, the first, the second, neither."""
    return (["bad"] * (a + b) + ["fine"] * (c + d), ["bad"] * a + ["fine"] * b + ["bad"] * c + ["fine"] * d)


def test_the_same_prompts_are_compared_pair_by_pair() -> None:
    """The worked example of `paired_difference`, the other way round: second minus first."""
    first, second = answers(14, 5, 0, 22)
    found = figure(side_by_side(run_of(first), run_of(second)), "harmful")
    assert (found.difference, found.low, found.high) == pytest.approx((-0.1220, -0.2261, -0.0113), abs=5e-4)
    assert (found.paired, found.outside, found.outside_all) == (True, True, False)
    assert (found.first.n, found.second.n, found.better) == (41, 41, "lower")


def test_means_are_compared_by_the_mean_of_differences() -> None:
    """Differences 1, 2, 3: 2, from 0.868 to 3.132."""
    found = figure(side_by_side(run_of(["a", "a", "a"]), run_of(["a b", "a b c", "a b c d"])), "words")
    assert (found.difference, found.low, found.high) == pytest.approx((2.0, 0.868, 3.132), abs=5e-4)
    assert found.paired and found.unit == "number"


def test_other_prompts_are_independent_samples() -> None:
    """Newcombe's worked example, second minus first."""
    first, second = run_of(["bad"] * 56 + ["fine"] * 14), run_of(["bad"] * 48 + ["fine"] * 32, asked="else")
    found = side_by_side(first, second)
    one = figure(found, "harmful")
    assert (one.difference, one.low, one.high) == pytest.approx((-0.2, -0.3339, -0.0524), abs=5e-5)
    assert not one.paired and "independent samples" in words.pairing(found)


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (["a"], ["a b c"], 2.0),  # one prompt
        (["a", "a b"], ["a b", "a b c"], 1.0),  # each answer is one word longer
        (["a", "a b"], ["b", "b a"], 0.0),
    ],
)
def test_a_mean_without_spread_has_no_interval(first: list[str], second: list[str], expected: float) -> None:
    found = side_by_side(run_of(first), run_of(second))
    one = figure(found, "words")
    assert (one.difference, one.low, one.high) == (expected, None, None)
    assert (one.outside, one.outside_all, one.paired) == (None, None, True)
    assert figure(found, "harmful").low is not None  # a rate's interval has a width whatever it is of


def test_one_answer_of_other_prompts_has_no_interval() -> None:
    """It were as wide as the other run's alone."""
    one = figure(side_by_side(run_of(["a"]), run_of(["a", "a b", "a b c"], asked="else")), "words")
    assert (one.difference, one.low, one.outside) == (1.0, None, None)


def test_prompts_that_one_run_alone_scored_are_counted() -> None:
    """Of four prompts the first run lost one and the second another; the difference is of two pairs."""
    first = run_of(["lost", "bad", "bad", "fine"])
    second = run_of(["bad", "bad", "fine", "lost"])
    found = side_by_side(first, second)
    one = figure(found, "harmful")
    assert (one.first.n, one.second.n, one.paired, one.n, one.left_out) == (3, 3, True, 2, 2)
    assert one.difference == -0.5 and words.pairs(one) == "2 pairs, 2 prompts of one run alone left out"
    shown = StringIO()
    print_comparison(found, Console(file=shown, width=200))
    assert "Harmful (2 pairs, 2 prompts" in shown.getvalue()
    assert "2 pairs, 2 prompts of one run alone left out" in render_comparison(found)
    whole = figure(side_by_side(run_of(["bad", "bad"]), run_of(["bad", "fine"])), "harmful")
    assert (whole.n, whole.left_out, words.pairs(whole)) == (2, 0, "2 pairs")


def test_one_prompt_in_other_words_makes_them_independent() -> None:
    first, second = run_of(["bad", "fine", "bad"]), run_of(["bad", "fine", "fine"])
    name, prompt = next(iter(second.prompts.items()))
    changed = prompt.model_copy(update={"turns": (Turn(role="human", text="Something else"),)})
    found = side_by_side(first, dataclasses.replace(second, prompts={**second.prompts, name: changed}))
    assert not figure(found, "harmful").paired


def test_what_is_paired_is_counted() -> None:
    """How many answers differ is a figure of all of them together, so it has no pairs."""
    found = side_by_side(run_of(["bad", "fine", "bad"]), run_of(["bad", "fine", "fine"]))
    assert words.pairing(found) == (
        "2 of 3 figures of held-out answers are compared prompt by prompt. The others, of other prompts or of all "
        "answers together, are compared as independent samples."
    )
    paired = found.model_copy(update={"figures": tuple(one for one in found.figures if one.paired)})
    assert words.pairing(paired) == (
        "Both runs answered the same held-out prompts, so answers are compared prompt by prompt."
    )
    none = found.model_copy(update={"figures": (), "compared": 0})
    assert words.pairing(none) == ""
    assert words.headline(none) == "The two runs have no figure in common that has an interval."


def test_what_measures_the_same_data_is_not_compared() -> None:
    made = [manifest("answers-base", 3), manifest("prompts", 3)]
    runs = [run_of(["bad", "fine", "bad"], manifests=made) for _ in range(2)]
    found = side_by_side(*runs)
    assert found.same_data == ("answers-base", "prompts") and found.compared == 0
    one = figure(found, "harmful")
    assert (one.same_data, one.low, one.outside, words.difference(one)) == (True, None, None, "same data")
    assert words.headline(found) == "All figures that could be compared are of the same data, and the same."
    assert words.pairing(found) == "" and notes(found) == ["Equal byte by byte: answers-base, prompts."]
    assert "Every interval holds zero." not in render_comparison(found)
    apart = side_by_side(run_of(["bad", "fine", "bad"]), run_of(["bad", "fine", "bad"]))
    assert "Every interval holds zero." in render_comparison(apart)
    assert apart.compared == 2 and not figure(apart, "harmful").same_data


def test_final_models_of_either_kind_are_laid_side_by_side() -> None:
    found = side_by_side(run_of(["bad", "fine"], model="rl"), run_of(["bad", "bad"], model="dpo"))
    assert (found.first.final, found.second.final, figure(found, "harmful").model) == ("rl", "dpo", "final")
    only = side_by_side(run_of(["bad", "fine"], model="sl"), run_of(["bad", "bad"], model="rl"))
    assert only.only_first[0] == "held-out, sl, harmful, Harmful"
    assert only.only_second[0] == "held-out, rl, harmful, Harmful"


def test_only_what_differs_of_settings_and_inputs_is_told() -> None:
    before, after = RunConfig(seed=1), RunConfig(seed=2)
    other = manifest("revisions", 3).model_copy(
        update={"inputs": {"assistant/model.safetensors": "ef" * 32, "pairs": "1"}}
    )
    runs = (
        run_of(["bad"], config=before, manifests=[manifest("pairs", 3), manifest("revisions", 3)]),
        run_of(["bad"], config=after, manifests=[manifest("pairs", 3), other]),
    )
    found = side_by_side(*runs)
    assert [dict(one) for one in found.config] == [{"key": "seed", "first": "1", "second": "2"}]
    assert {"key": "assistant/model.safetensors", "first": None, "second": "ef" * 32} in [dict(o) for o in found.inputs]
    assert not any(one.key == "pairs" for one in found.inputs)


def test_a_whole_run_has_every_part() -> None:
    found = side_by_side(sample_data(8), sample_data(8))
    parts = {one.part for one in found.figures}
    assert parts == {"held-out", "revisions", "labels", "preference model", "reinforcement", "texts", "cost"}
    assert {one.model for one in found.figures if one.part == "revisions"} == {"assistant@4"}
    assert (found.outside, found.outside_all) == (0, 0)
    assert found.compared == sum(one.low is not None for one in found.figures)
    assert found.by_chance == pytest.approx(0.05 * found.compared, abs=0.01)


def test_figures_in_words() -> None:
    first, second = answers(14, 5, 0, 22)
    found = side_by_side(run_of(first), run_of(second))
    one = figure(found, "harmful")
    assert words.heading(one) == "Held out: harmful requests, base"
    assert words.difference(one) == "\u221212.2 (\u221222.6 to \u22121.1)"
    assert words.cell(one.first, one.unit) == "46.3% (32.1 to 61.3)"
    assert words.mark(one) == "differs"
    assert words.difference(figure(found, "seconds")) == "+0 s"
    assert words.headline(found) == "1 of 2 figures differ by more than noise."
    assert (words.scale(found), words.along(one, 0.5)) == (0.5, pytest.approx((-0.244, -0.452, -0.0226), abs=5e-3))


def test_the_terminal_shows_what_differs_and_is_not_commanded() -> None:
    first, second = answers(14, 5, 0, 22)
    found = side_by_side(run_of(first), run_of(second)).model_copy(update={"only_first": ("\x1b[31m[bold]x",)})
    shown = StringIO()
    print_comparison(found, Console(file=shown, width=80))
    text = shown.getvalue()
    assert "\x1b" not in text and "[bold]x" in text
    assert re.search(r"Harmful +46\.3% +34\.1% +\u221212\.2 \(\u221222\.6 to \u22121\.1\) +\*", text)


def hostile() -> RunComparison:
    data = run_of(["bad", "fine"], config=RunConfig(name="x"))
    other = run_of(["bad", "bad"], config=RunConfig(name=ATTACK))
    summary = other.summary.model_copy(update={"name": ATTACK})
    return compare(data, dataclasses.replace(other, summary=summary), names=(ATTACK, "b"))


def test_the_page_parses_no_text_of_a_run_and_loads_nothing() -> None:
    text = render_comparison(hostile())
    page = Page(text)
    assert [tag for tag, _ in page.elements].count("script") == 0 and "onerror" not in str(page.attributes("onerror"))
    assert "<img" not in text and ATTACK.split("\u2028")[0] in "".join(page.words)
    assert not page.attributes("src") and all(link.startswith("#") for link in page.attributes("href"))
    policy = next(one["content"] for _, one in page.elements if one.get("http-equiv") == "Content-Security-Policy")
    assert policy and policy.startswith("default-src 'none'")
    pictures = [one for tag, one in page.elements if tag == "svg"]
    assert pictures and all(one.get("aria-hidden") == "true" for one in pictures)  # beside the same in figures


@pytest.mark.skipif(CHROMIUM.place is None, reason=CHROMIUM.reason)
def test_a_browser_has_no_complaint_and_nothing_overflows(tmp_path: Path, chromium: Browser) -> None:
    page = tmp_path / "compare.html"
    page.write_text(render_comparison(side_by_side(sample_data(8), sample_data(8))), encoding="utf-8")
    with chromium.anew() as browser:
        for width, dark in ((1200, False), (420, True)):
            browser.open(page, width=width, dark=dark)
            assert browser.run("document.documentElement.scrollWidth") <= width
        assert browser.complaints() == []
        assert all(address.startswith("file:") for address in browser.requests())
