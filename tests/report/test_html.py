"""The page: nothing untrusted is parsed, nothing is loaded from elsewhere, and every picture has its table."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import json
import re
from html.parser import HTMLParser
from typing import get_args

import pytest

from report.sample import sample_data
from solon.records import Prompt, RevisionRound, Role, Turn
from solon.report.data import ReportData
from solon.report.html import render_report
from solon.report.sections import calibration_chart
from solon.report.standalone import script_json

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


def attacked(data: ReportData) -> ReportData:
    """The same run with a hostile text wherever a model, a prompt or a constitution can put one."""
    first = data.revisions[0]
    turns = (Turn(role="system", text=ATTACK), Turn(role="human", text=ATTACK))
    prompt = Prompt(id=first.prompt_id, kind="harmful", source=ATTACK, turns=turns)
    step = RevisionRound(principle_id=ATTACK, critique=ATTACK, revision=ATTACK, prompt_hash=ATTACK)
    assert data.constitution is not None
    hostile = data.constitution.principles[0].model_copy(update={"title": ATTACK, "critique_request": ATTACK})
    return dataclasses.replace(
        data,
        prompts={**data.prompts, prompt.id: prompt},
        revisions=[first.model_copy(update={"initial": ATTACK, "rounds": (step,)}), *data.revisions[1:]],
        answers={
            model: [row.model_copy(update={"text": ATTACK}) for row in rows] for model, rows in data.answers.items()
        },
        comparisons=[row.model_copy(update={"a": ATTACK, "raw": ATTACK}) for row in data.comparisons],
        rollouts=[row.model_copy(update={"text": ATTACK, "id": ATTACK}) for row in data.rollouts],
        constitution=data.constitution.model_copy(update={"title": ATTACK, "principles": (hostile,)}),
        manifests=[
            row.model_copy(update={"deviations": (ATTACK,), "facts": {ATTACK: ATTACK}}) for row in data.manifests
        ],
        summary=data.summary.model_copy(update={"name": ATTACK, "grader": ATTACK}),
    )


def test_hostile_text_adds_no_element_and_survives_as_text(data: ReportData, page: Page) -> None:
    hostile = Page(render_report(attacked(data)))
    for tag in ("script", "img", "style", "iframe", "link"):
        count = [name for name, _ in page.elements].count(tag)
        assert [name for name, _ in hostile.elements].count(tag) == count, tag
    assert not [key for _, attributes in hostile.elements for key in attributes if key.startswith("on")]
    rows = json.loads(hostile.code["script"][0])
    assert rows["lists"]["chains"]["rows"][0]["steps"][1]["text"] == ATTACK
    assert rows["prompts"][data.revisions[0].prompt_id]["turns"] == [["system", ATTACK], ["human", ATTACK]]
    assert ATTACK in "".join(hostile.words)


def test_every_speaker_has_a_name(page: Page) -> None:
    names = re.search(r"const names = \{(.*?)\}", page.code["script"][1])
    assert names is not None and re.findall(r"(\w+):", names[1]) == list(get_args(Role))


def test_the_script_never_parses_html(page: Page) -> None:
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function", page.code["script"][1]
    )


def test_script_json_is_safe_and_exact() -> None:
    value = {"a": ATTACK, "b": [1, None, True]}
    text = script_json(value)  # type: ignore[arg-type]
    assert not set(text) & set("<>&\u2028\u2029")
    assert json.loads(text) == value
    assert script_json({"a": "</script>"}) == '{"a":"\\u003c/script\\u003e"}'


def test_nothing_is_loaded_and_only_our_script_and_style_run(page: Page) -> None:
    assert page.attributes("src") == []
    assert all(link.startswith("#") for link in page.attributes("href"))
    assert page.attributes("style") == []
    assert not re.search(r"url\(|@import|https?://", page.code["style"][0])
    assert not re.search(r"fetch\(|XMLHttpRequest|import\(|https?://", page.code["script"][1])
    policy = next(value for value in page.attributes("content") if "default-src" in value)
    assert policy.startswith("default-src 'none';")
    for code in (page.code["script"][1], page.code["style"][0]):
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
    assert len(charts) == 11
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
    page = Page(render_report(data, limits={"chains": 3, "answers": 2, "comparisons": 1, "rollouts": 4}))
    lists = json.loads(page.code["script"][0])["lists"]
    assert {name: len(found["rows"]) for name, found in lists.items()} == {
        "chains": 3,
        "answers": 2,
        "comparisons": 1,
        "rollouts": 4,
    }
    assert lists["chains"]["total"] == len(data.revisions)


def test_a_run_without_truth_or_rl_leaves_those_sections_out() -> None:
    ungraded = sample_data(graded=False)
    text = "".join(Page(render_report(ungraded)).words)
    assert "Not graded." in text and "no ground truth for these pairs" in text
    assert "Is the change real?" not in text
    summary = ungraded.summary.model_copy(
        update={"rl": None, "labels": None, "preference_model": None, "estimates": (), "texts": ()}
    )
    bare = Page(render_report(ReportData(summary=summary)))
    assert not {"judge", "process"} & set(bare.attributes("id"))


def test_equal_data_give_equal_bytes(data: ReportData) -> None:
    assert render_report(data) == render_report(data)


def test_whiskers_of_labels_are_empty_nowhere(data: ReportData) -> None:
    """A bin whose labels are all right has no interval by bootstrap."""
    chart = calibration_chart(data.summary)
    assert chart is not None and data.summary.labels is not None and data.summary.labels.reliability is not None
    bootstrap = {one.low: one.accuracy for one in data.summary.labels.reliability.plain.bins}
    (series,) = chart.series
    assert len(series.points) == len(bootstrap)
    for point, bin in zip(series.points, data.summary.labels.reliability.plain.bins, strict=True):
        assert point.low is not None and point.high is not None and point.low < point.high
        assert point.low <= bin.accuracy.low and point.high >= bin.accuracy.high
