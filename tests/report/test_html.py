"""The page: nothing untrusted is parsed, nothing is loaded from elsewhere, and every picture has its table."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import re
from html.parser import HTMLParser

import pytest

from report.sample import sample_data
from solon.artifacts.manifest import Counts
from solon.evals.kept import Evaluation, Metric, PairedMetric
from solon.records import Prompt, RevisionRound, Turn
from solon.report.data import ReportData
from solon.report.html import render_report
from solon.report.run.labels import calibration_chart, preference_charts

ATTACK = "</script><script>alert(1)</script><img src=x onerror=alert(1)>\u2028 {{ 7 * 7 }} <!--"


class Page(HTMLParser):
    """What a browser would see: elements with their attributes, and the text of script and style."""

    def __init__(self, text: str):
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.code: dict[str, list[str]] = {"script": [], "style": []}
        self._open = ""
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._open = tag if tag in self.code else ""
        if self._open:
            self.code[tag].append("")

    def handle_endtag(self, tag: str) -> None:
        self._open = ""

    def handle_data(self, data: str) -> None:
        if self._open:
            self.code[self._open][-1] += data
        else:
            self.words.append(data)

    def attributes(self, name: str) -> list[str]:
        return [value or "" for _, attributes in self.elements for key, value in attributes.items() if key == name]


@pytest.fixture(scope="module")
def data() -> ReportData:
    return sample_data()


@pytest.fixture(scope="module")
def page(data: ReportData) -> Page:
    return Page(render_report(data))


def attacked(data: ReportData, attack: str = ATTACK) -> ReportData:
    """The same run with a hostile text wherever a model, a prompt or a constitution can put one."""
    first, summary = data.revisions[0], data.summary
    turns = (Turn(role="system", text=attack), Turn(role="human", text=attack))
    prompt = Prompt(id=first.prompt_id, kind=attack, source=attack, turns=turns)
    step = RevisionRound(principle_id=attack, critique=attack, revision=attack, prompt_hash=attack)
    assert data.constitution is not None and summary.labels is not None
    texts = {"title": attack, "critique_request": attack, "comparison_question": attack}
    hostile = data.constitution.principles[0].model_copy(update=texts)
    said = {"a": attack, "raw": attack, "rationale": attack, "method": attack}
    unread = summary.labels.model_copy(update={"unscored_reasons": {attack: 1}})
    kept = {"name": attack, "model": attack, "unscored": {attack: 1}, "settings": (attack,)}
    counts = {"in": 2, "out": 1, "dropped": {attack: 1}, "other": {f"unscored: {attack}": 1}}
    return dataclasses.replace(
        data,
        prompts={**data.prompts, prompt.id: prompt},
        revisions=[first.model_copy(update={"initial": attack, "rounds": (step, step)}), *data.revisions[1:]],
        answers={
            model: [row.model_copy(update={"text": attack}) for row in rows] for model, rows in data.answers.items()
        },
        comparisons=[row.model_copy(update=said) for row in data.comparisons],
        rollouts=[row.model_copy(update={"text": attack, "id": attack}) for row in data.rollouts],
        constitution=data.constitution.model_copy(update={"title": attack, "principles": (hostile,)}),
        manifests=[
            row.model_copy(
                update={
                    "deviations": (attack,),
                    "facts": {attack: attack},
                    "inputs": {attack: attack},
                    "counts": Counts.model_validate(counts),
                }
            )
            for row in data.manifests
        ],
        evaluations={f"{attack}{name}": one.model_copy(update=kept) for name, one in data.evaluations.items()},
        unread={attack: attack},
        stale=(attack,),
        summary=summary.model_copy(update={"name": attack, "grader": attack, "labels": unread}),
    )


def test_hostile_text_adds_no_element_and_survives_as_text(data: ReportData, page: Page) -> None:
    hostile = Page(render_report(attacked(data)))
    for tag in ("script", "img", "style", "iframe", "link"):
        count = [name for name, _ in page.elements].count(tag)
        assert [name for name, _ in hostile.elements].count(tag) == count, tag
    assert not [key for _, attributes in hostile.elements for key in attributes if key.startswith("on")]
    words = "".join(hostile.words)
    assert words.count(ATTACK) > 50 and "&lt;" not in words


def test_the_script_never_parses_html(page: Page) -> None:
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function", page.code["script"][0]
    )


def test_nothing_is_loaded_and_only_our_script_and_style_run(page: Page) -> None:
    assert page.attributes("src") == []
    assert all(link.startswith("#") for link in page.attributes("href"))
    assert page.attributes("style") == [] and len(page.code["script"]) == 1
    assert not re.search(r"url\(|@import|https?://", page.code["style"][0])
    assert not re.search(r"fetch\(|XMLHttpRequest|import\(|https?://", page.code["script"][0])
    policy = next(value for value in page.attributes("content") if "default-src" in value)
    assert policy.startswith("default-src 'none';")
    for code in (page.code["script"][0], page.code["style"][0]):
        digest = base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy
    assert "unsafe" not in policy


def test_ids_are_unique_and_references_lead_somewhere(page: Page) -> None:
    ids = page.attributes("id")
    assert len(ids) == len(set(ids))
    for name in ("aria-describedby", "aria-labelledby"):
        assert set(page.attributes(name)) <= set(ids), name
    assert {link.removeprefix("#") for link in page.attributes("href")} <= set(ids)


def test_every_chart_has_its_table_and_every_table_a_caption(page: Page) -> None:
    charts = [attributes for tag, attributes in page.elements if tag == "svg" and attributes.get("role") == "img"]
    assert len(charts) == 14
    tables = {attributes.get("id") for tag, attributes in page.elements if tag == "table"}
    assert all(chart["aria-describedby"] in tables and chart["aria-label"] for chart in charts)
    tags = [tag for tag, _ in page.elements]
    assert tags.count("caption") == tags.count("table")
    assert all("scope" in attributes for tag, attributes in page.elements if tag == "th")


def test_the_headline_and_the_figures_are_on_the_page(data: ReportData, page: Page) -> None:
    text = " ".join("".join(page.words).split())
    assert "harmful requests were complied with before" in text
    rate = data.summary.of(kind="harmful", measure="harmful")[0].rate
    assert rate is not None
    assert f"{100 * rate.rate:.1f}%" in text
    assert f"{100 * rate.low:.1f} to {100 * rate.high:.1f}" in text


def test_the_preference_model_is_shown_to_be_calibrated_or_not(data: ReportData) -> None:
    model = data.summary.preference_model
    assert model is not None
    page = render_report(data)
    for standard, name in (("labels", "held-out labels"), ("truth", "the truth")):
        found = model.calibration[standard]
        assert f'aria-label="Preference model against {name}"' in page and f"Calibration error, against {name}" in page
        assert f"{found.plain.ece.value:.3f}" in page and f"temperature of {found.temperature.value:.2f}" in page


def test_caps_are_stated_with_the_rows(data: ReportData) -> None:
    caps = {"chains": 3, "answers": 2, "comparisons": 1, "rollouts": 4, "left-out": 1}
    page = Page(render_report(data, limits=caps))
    assert page.attributes("class").count("card") == 10
    text = " ".join("".join(page.words).split())
    for shown, total in ((3, len(data.revisions)), (1, len(data.comparisons)), (4, len(data.rollouts))):
        assert f"This page holds {shown} of {total}, evenly spread" in text


def test_a_run_without_truth_or_rl_leaves_those_sections_out() -> None:
    ungraded = sample_data(graded=False)
    text = "".join(Page(render_report(ungraded)).words)
    assert "Not graded." in text and "no ground truth for these pairs" in text
    assert "Is the change real?" not in text
    summary = ungraded.summary.model_copy(
        update={"rl": None, "labels": None, "preference_model": None, "estimates": (), "texts": ()}
    )
    bare = Page(render_report(ReportData(summary=summary)))
    assert not {"judge", "process", "frontier", "principles", "paper"} & set(bare.attributes("id"))


def test_equal_data_give_equal_bytes(data: ReportData) -> None:
    assert render_report(data) == render_report(data)


def test_whiskers_are_empty_nowhere(data: ReportData) -> None:
    """A bin whose labels are all right has no interval by bootstrap."""
    assert data.summary.labels is not None and data.summary.labels.reliability is not None
    chart = calibration_chart(data.summary)
    assert chart is not None
    (series,) = chart.series
    for point, bin in zip(series.points, data.summary.labels.reliability.plain.bins, strict=True):
        assert point.low is not None and point.high is not None
        assert point.low <= bin.accuracy.low and point.high >= bin.accuracy.high
    points = [point for one in [chart, *preference_charts(data.summary)] for point in one.series[0].points]
    assert all(one.low is not None and one.high is not None and one.low < one.high for one in points)


def test_evaluations_of_the_run_stand_side_by_side(data: ReportData) -> None:
    accuracy = Metric(name=ATTACK, value=0.25, low=0.1, high=0.9, n=40)
    change = PairedMetric(**{**dict(accuracy), "value": -0.125}, against="base")
    base = Evaluation(name=ATTACK, model="base", metrics=(accuracy,))
    more = {"metrics": (accuracy.model_copy(update={"value": 0.75}),), "paired": (change,), "unscored": {ATTACK: 3}}
    both = {"rl": base.model_copy(update={"model": "rl", **more}), "base": base}
    page = Page(render_report(dataclasses.replace(data, evaluations=both, unread={ATTACK: "no figure"})))
    assert "evaluations" in page.attributes("id") and "img" not in [name for name, _ in page.elements]
    text = " ".join("".join(page.words).split())
    assert text.index("0.250 0.100 to 0.900") < text.index("0.750 0.100 to 0.900") < text.index("\u22120.125")
    assert f"In no figure, rl: 3 {' '.join(ATTACK.split())}" in text and "is not shown: no figure" in text
    assert "evaluations" not in Page(render_report(data)).attributes("id")
