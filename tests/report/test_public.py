"""The public report: its numbers are those of the analysis, its texts are harmless, everybody can read it."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from report.public_page import Element, figures, read_page, saved_table, section, table
from report.riverside import META, REJECTED, riverside, with_texts
from solon.collective.conversation import AGREE
from solon.collective.opinion.analysis import analyse
from solon.collective.opinion.consensus import MIN_GROUP_VOTES
from solon.collective.opinion.results import Analysis
from solon.collective.people.population import SUPPRESS_BELOW
from solon.collective.reading.findings import Finding
from solon.report.public.inputs import PublicInput, Removed, Words
from solon.report.public.page import page_of, render_public_report
from solon.report.public.sureness import VERDICTS
from talks import random_rows, talk
from voters import stability_of

ATTACK = '"><script>alert(1)</script><img src=x onerror=alert(1)></q></th>\u2028{{ 7 * 7 }}<!--\u202e'
FORMULA = '=HYPERLINK("http://example.org","x")'


@pytest.fixture(scope="module")
def analysis() -> Analysis:
    return analyse(riverside().conversation)


@pytest.fixture(scope="module")
def given(analysis: Analysis) -> PublicInput:
    return PublicInput(analysis=analysis, sample=riverside().sample)


@pytest.fixture(scope="module")
def html(given: PublicInput) -> str:
    return render_public_report(given)


@pytest.fixture(scope="module")
def page(html: str) -> Element:
    return read_page(html)


def test_every_part_of_the_report_is_there(page: Element) -> None:
    names = [one.attributes.get("id") for one in page.all("section")][1:]
    assert names == ["people", "agree", "divides", "map", "removed", "sure", "statements", "method"]
    linked = [one.attributes["href"] for one in page.all("nav")[0].all("a")]
    assert linked == [f"#{name}" for name in names]


def test_who_took_part(page: Element, analysis: Analysis) -> None:
    talk = analysis.conversation
    opening = page.all("section")[0].text
    assert f"130 people took part and cast {talk.seen_PS.sum():,} votes" in opening
    assert "The data does not say when people voted." in opening
    assert "The statements were written between 1 March 2024 and 4 March 2024." in opening
    rows = table(page, "How far people went")
    assert ["voted on at least one statement", "130", "100%"] in rows
    assert ["voted often enough to be placed in a group", str(len(analysis.groups.participant_ids)), "93%"] in rows


def test_against_who_was_meant_to(page: Element) -> None:
    made = riverside()
    people = made.sample.categories["place"].count("town")
    target = made.sample.population.attributes["place"].shares["town"]
    rows = table(page, "Place")
    assert rows[0] == ["Category", "Took part", "Share", "Population", "Difference, points"]
    gap = f"{100 * (people / 130 - target):+.0f}"
    assert rows[1] == ["town", str(people), f"{100 * people / 130:.0f}%", f"{100 * target:.0f}%", gap]


def test_without_a_population_it_says_that_nothing_was_measured(analysis: Analysis) -> None:
    page = read_page(render_public_report(PublicInput(analysis=analysis)))
    assert "This was not measured." in section(page, "people").text
    assert "speaks for them alone" in page.all("section")[0].text


def test_numbers_are_those_of_the_votes(page: Element, analysis: Analysis) -> None:
    """Every statement in the saved table, counted again."""
    talk, groups = analysis.conversation, analysis.groups
    rows = {int(row["comment-id"]): row for row in saved_table(page)}
    for column, one in enumerate(talk.statements):
        if one.moderated < 0 or one.is_meta:
            assert one.id not in rows
            continue
        votes = talk.votes_PS[:, column][talk.seen_PS[:, column]]
        row = rows[one.id]
        assert (int(row["votes"]), int(row["agrees"])) == (len(votes), (votes == AGREE).sum())
        for label, letter in enumerate("ab"):
            own = np.isin(talk.participant_ids, groups.participant_ids[groups.labels_G == label])
            counted = talk.votes_PS[own & talk.seen_PS[:, column], column]
            if row[f"group-{letter}-votes"]:
                assert int(row[f"group-{letter}-agrees"]) == (counted == AGREE).sum()
                assert int(row[f"group-{letter}-disagrees"]) == (counted < 0).sum()
        if row["group-aware-consensus"]:
            assert float(row["group-aware-consensus"]) == analysis.consensus_S[column]
            assert float(row["in-every-group"]) == pytest.approx(analysis.consensus_S[column] ** (1 / groups.k))
            assert float(row["polarisation"]) == analysis.polarization_S[column]


def test_the_table_on_the_page_says_what_the_saved_one_says(page: Element) -> None:
    saved = {row["comment-id"]: row for row in saved_table(page)}
    shown = table(page, "All statements")[1:]
    assert len(shown) == len(saved) == 30
    for cells in shown:
        row = saved[str(figures(cells[0])[0])]
        assert figures(cells[1]) == [int(row["votes"])]
        assert abs(figures(cells[2])[0] - 100 * int(row["agrees"]) / int(row["votes"])) <= 0.51
    order = [float(saved[str(figures(cells[0])[0])]["group-aware-consensus"] or -1) for cells in shown]
    assert order == sorted(order, reverse=True)


def test_lists_hold_what_they_promise(given: PublicInput) -> None:
    found = page_of(given)["opinions"]
    assert found.agreed and found.dividing
    assert all(tally.agree.rate > 0.5 and tally.n >= MIN_GROUP_VOTES for one in found.agreed for tally in one.groups)
    assert [one.consensus for one in found.agreed] == sorted((one.consensus for one in found.agreed), reverse=True)
    assert not {one.id for one in found.agreed} & {one.id for one in found.dividing}
    for one in found.dividing:
        a, b = one.groups
        apart = (a.agree.low > b.agree.high, b.agree.low > a.agree.high)
        against = (a.disagree.low > b.disagree.high, b.disagree.low > a.disagree.high)
        assert any((*apart, *against))


def test_chance_alone_divides_nobody() -> None:
    """Groups dealt out by lot differ on something by luck; the list of what divides stays nearly empty."""
    found = analyse(talk(random_rows(4, 90, 30)))
    dealt = replace(found.groups, labels_G=np.random.default_rng(0).permutation(found.groups.labels_G))
    page = page_of(PublicInput(analysis=analyse(found.conversation, groups=dealt)))
    real = page_of(PublicInput(analysis=found))
    assert len(page["opinions"].dividing) <= 1 < len(real["opinions"].dividing)


def test_what_was_removed_and_why(analysis: Analysis, html: str) -> None:
    rows = (
        Removed(rule="minimum-votes", reason="Too few votes.", kind="participant", count=SUPPRESS_BELOW - 1),
        Removed(rule="own-rule", reason="Mostly rejected, by 95%.", kind="statement", count=3),
    )
    found = Finding(severity="repair", where="votes.csv:3", what="a vote stands twice", repair="the later one counts")
    page = read_page(render_public_report(PublicInput(analysis=analysis, removed=rows, findings=(found,))))
    told = table(page, "Removed by rule")[1:]
    assert [(name, what, number) for name, _, what, number in told] == [
        ("Too few votes", "people", "fewer than 10"),
        ("own rule", "statements", "3"),
    ]
    assert told[1][1] == "Mostly rejected, by 95%.", "a rule that the page does not know is told in its own words"
    assert "That is after cleaning" in page.all("section")[0].text
    assert "That is after cleaning" not in read_page(html).all("section")[0].text
    assert "nobody’s votes were removed" in section(read_page(html), "removed").text
    assert "A vote stands twice. The later one counts." in section(page, "removed").text
    counts = {row[0]: row[1] for row in table(page, "What became of the statements")[1:]}
    assert counts == {
        "Accepted by the moderators": "30",
        "Rejected by the moderators": "3",
        "About the conversation itself": "1",
    }
    assert not any(text in html for text in (*REJECTED[:2], META))


def test_how_sure_in_plain_words() -> None:
    analysis = analyse(talk(random_rows(0, 30, 10)))
    stable = stability_of(analysis.conversation, analysis.groups, repeats=1)
    page = read_page(render_public_report(PublicInput(analysis=analysis, stability=stable)))
    text = section(page, "sure").text
    lot = [one for one in stable.checks if one.kind == "chance"]
    kept = [one.kept_share for one in stable.checks if one.kind == "imputation"]
    assert VERDICTS[stable.verdict] in text and len(kept) == 1
    assert f"If missing votes are counted in another way, {100 * kept[0]:.0f}% of people stay in their group." in text
    assert f"{stable.chosen[stable.k]} chose {stable.k}, the number in this report." in text
    assert lot
    assert "if groups were dealt out" not in text, (
        "a group has fewer than 10 people, and what a lot leaves in place tells how many"
    )
    assert len(table(page, "The groups, found again in other ways")) == 1 + len(stable.checks) - len(lot)
    without = read_page(render_public_report(PublicInput(analysis=analysis)))
    assert "How stable the groups are was not measured." in section(without, "sure").text


def test_the_map_and_its_table(page: Element, analysis: Analysis) -> None:
    drawing = section(page, "map").all("svg")[0]
    assert drawing.attributes["role"] == "img" and drawing.attributes["aria-describedby"] == "map-table"
    dots = drawing.all("use")
    assert 20 < len(dots) <= len(analysis.groups.participant_ids)
    rows = table(page, "The map as a table")[1:]
    shown = [figures(row[1])[0] for row in rows if row[1] != "withheld"]
    assert rows and sum(shown) <= 100 + len(rows)
    assert "No name or number of a participant" in section(page, "map").text


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([[1]], "Too few people"),
        ([[1, 1, -1]] * 30, "do not fall into separate groups"),
        ([[0, 0]] * 12, "do not fall into separate groups"),
        (random_rows(1, 25, 3), "What divides"),
    ],
    ids=["one vote", "all alike", "only passes", "few statements"],
)
def test_odd_conversations_have_a_page(rows: list[list[int | None]], says: str) -> None:
    assert says in read_page(render_public_report(PublicInput(analysis=analyse(talk(rows))))).text


def test_markup_in_statements_stays_text(analysis: Analysis) -> None:
    talk = with_texts(analysis.conversation, {one.id: ATTACK for one in analysis.conversation.statements})
    talk = replace(talk, topic=ATTACK, description=ATTACK)
    words = Words(organiser=ATTACK, attribution=ATTACK, spoken='en"><script>alert(1)</script>')
    html = render_public_report(PublicInput(analysis=replace(analysis, conversation=talk), words=words))
    page = read_page(html)
    assert len(page.all("script")) == 1 and not page.all("img")
    assert page.all("q")[0].text == " ".join(ATTACK.split())
    assert not [key for one in page.all(*{"q", "p", "a", "h1", "td"}) for key in one.attributes if key.startswith("on")]
    assert "{{" in page.all("h1")[0].text, "templates do not run in text"


def test_no_cell_of_the_saved_table_is_a_formula(analysis: Analysis) -> None:
    attacks = [FORMULA, "+1+1", "-2", "@SUM(A1)", "\t=1", "\r=1"]
    ids = [one.id for one in analysis.conversation.statements if one.moderated > 0 and not one.is_meta]
    talk = with_texts(analysis.conversation, dict(zip(ids, attacks, strict=False)))
    rows = saved_table(read_page(render_public_report(PublicInput(analysis=replace(analysis, conversation=talk)))))
    for row in rows:
        text = row["statement"].strip()
        assert text[:1] not in ("=", "+", "-", "@"), row["statement"]
    assert f"'{FORMULA}" in {row["statement"] for row in rows}


def test_nothing_may_load_or_run_but_what_the_page_brings(html: str, page: Element) -> None:
    policy = next(one for one in page.all("meta") if one.attributes.get("http-equiv")).attributes["content"] or ""
    assert policy.startswith("default-src 'none';") and "unsafe" not in policy
    for kind in ("script", "style"):
        (code,) = page.all(kind)
        digest = base64.b64encode(hashlib.sha256("".join(map(str, code.children)).encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy
    for one in page.all("a", "use", "img", "link", "script", "iframe"):
        for key in ("href", "src"):
            target = one.attributes.get(key)
            assert target is None or target.startswith(("#", "data:text/csv"))
    assert not re.search(r"\bstyle=\"|@import|url\((?!#)|https?://", html)


def test_headings_landmarks_and_tables_can_be_followed(page: Element) -> None:
    levels = [int(one.tag[1]) for one in page.all("h1", "h2", "h3", "h4")]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert [len(page.all(tag)) for tag in ("header", "nav", "main", "footer")] == [1, 1, 1, 1]
    ids = [value for one in _everything(page) if (value := one.attributes.get("id"))]
    assert len(ids) == len(set(ids))
    for one in _everything(page):
        for key in ("aria-labelledby", "aria-describedby", "for"):
            assert set((one.attributes.get(key) or "").split()) <= set(ids)
        if (href := one.attributes.get("href") or "").startswith("#"):
            assert href[1:] in ids
    for one in page.all("table"):
        assert one.children and one.all("caption")[0].text
        assert all(cell.attributes.get("scope") in ("col", "row") for cell in one.all("th"))
    for one in page.all("svg"):
        assert one.attributes.get("aria-hidden") == "true" or one.attributes.get("role") == "img"
    assert page.all("html")[0].attributes["lang"] == "en"


def test_colours_can_be_told_from_their_ground() -> None:
    """Contrast of text at least 4.5, of marks at least 3 (WCAG 2.2, AA), in both schemes."""
    from solon.report.standalone import asset, style_sheet

    shared, own = style_sheet(), asset("solon.report.public", "public.css")
    for at in (0, 1):
        values = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", shared.split(":root {")[at + 1].split("}")[0]))
        values |= dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", own.split(".public {")[at + 1].split("}")[0]))
        for name in ("ink", "soft", "accent"):
            assert min(contrast(values[name], values[ground]) for ground in ("paper", "card")) >= 4.5, name
        for name in ("agree", "disagree", "g0", "g1", "g2", "g3", "g4"):
            assert min(contrast(values[name], values[ground]) for ground in ("paper", "card")) >= 3, name
        assert contrast(values["agree"], values["pass-ground"]) >= 3


def contrast(one: str, other: str) -> float:
    """White on black: 21."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _everything(one: Element) -> list[Element]:
    return [found for child in one.children if isinstance(child, Element) for found in (child, *_everything(child))]
