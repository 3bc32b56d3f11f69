"""What a public report may not show, and what it says in its place: never something else than is true."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from report.public_page import read_page, saved_table, section, table
from report.riverside import riverside, with_texts
from solon.cli.main import app
from solon.collective.opinion.analysis import analyse
from solon.collective.opinion.grouping import find_groups
from solon.collective.opinion.results import Analysis
from solon.collective.opinion.stability import verdict_of
from solon.collective.opinion.trials import StabilityCheck
from solon.collective.people.sample import Sample
from solon.report.public.gather import Sources, gather, read_sample
from solon.report.public.inputs import PublicInput, Words
from solon.report.public.language import ENGLISH
from solon.report.public.page import page_of, render_public_report
from solon.report.public.population import population_part
from solon.report.public.sureness import stability_part
from solon.report.public.tally import statement_votes
from solon.report.public.traced import trace_part
from talks import talk
from voters import stability_of

EXAMPLE = Path(__file__).resolve().parents[2] / "docs/examples/riverside"


def notes_of(sample: Sample) -> str:
    return " ".join(population_part(sample, ENGLISH, voters=130).notes)


def test_shares_say_whom_they_are_of() -> None:
    """Where the number of those who did not say is withheld, shares are of everybody, and the page says so."""
    made = riverside().sample
    ages = made.categories["age"]
    few = replace(made, categories=made.categories | {"age": ("", *ages[1:])})
    notes = notes_of(few)
    assert "Shares are of those of whom the category is known, but for age of everybody. Of how many" in notes
    rows = {row[0]: row for _, told in population_part(few, ENGLISH, voters=130).tables[:1] for row in told}
    assert rows["not known"][1] == "withheld"
    assert {row[2] for row in rows.values()} >= {f"{100 * ages[1:].count('old') / 130:.0f}%"}
    many = replace(made, categories=made.categories | {"age": ("",) * 12 + ages[12:]})
    assert "Shares are of those of whom the category is known." in " ".join(
        population_part(many, ENGLISH, voters=130).notes
    )
    all_of_them = replace(made, categories={name: ("", *own[1:]) for name, own in made.categories.items()})
    assert "Shares are of everybody in the tables. Of how many the category is not known is withheld" in " ".join(
        population_part(all_of_them, ENGLISH, voters=130).notes
    )


def test_who_was_screened_out_is_said_to_be() -> None:
    made = riverside().sample
    assert "do not belong" not in population_part(made, ENGLISH, voters=130).intro[0]
    assert "A few others voted who do not belong to it." in population_part(made, ENGLISH, voters=139).intro[0]
    assert (
        "10 others voted who do not belong to it. Their votes count"
        in population_part(made, ENGLISH, voters=140).intro[0]
    )


def test_groups_that_hang_on_a_choice_are_not_firm() -> None:
    """Groups may stand whatever people come and fall once missing votes count as something else."""
    analysis = analyse(riverside().conversation)
    stable = stability_of(analysis.conversation, analysis.groups, repeats=1)
    others = tuple(one for one in stable.checks if one.kind != "imputation")
    choice = StabilityCheck(kind="imputation", setting="pass", k=2, people=121, likeness=0.1, kept_share=0.5)
    for likeness, verdict in ((0.9, "firm"), (0.7, "fairly firm"), (0.1, "loose")):
        checks = (*others, choice.model_copy(update={"likeness": likeness}))
        assert verdict_of(checks) == verdict
        text = stability_part(stable.model_copy(update={"verdict": verdict, "checks": checks}), ENGLISH).text
        assert ("if missing votes count as something else." in text) == (verdict != "firm")
    assert verdict_of(others) == stable.verdict == "firm" and verdict_of(()) == "unknown"


def test_the_verdict_names_what_it_is_due_to() -> None:
    analysis = analyse(riverside().conversation)
    stable = stability_of(analysis.conversation, analysis.groups, repeats=1)
    moved = StabilityCheck(kind="seed", setting="1", k=2, people=121, likeness=0.2, kept_share=0.66)
    held = moved.model_copy(update={"kind": "bootstrap", "likeness": 0.9})
    loose = stability_part(stable.model_copy(update={"verdict": "loose", "checks": (moved, held)}), ENGLISH)
    assert loose.text.startswith("Many people would be in another group if the calculation starts elsewhere. What is")
    unknown = stability_part(stable.model_copy(update={"verdict": "unknown"}), ENGLISH)
    told = f"{unknown.lead} {unknown.text}"
    assert told.startswith("How firm the groups are cannot be said. Too few people are in them, or")
    (row,) = stability_part(
        stable.model_copy(update={"checks": (held.model_copy(update={"likeness": -0.001}),)}), ENGLISH
    ).rows
    assert row.likeness == "0.00"
    part = stability_part(stable, ENGLISH)
    assert any("dealt out by lot" in line for line in part.sentences) and len(part.rows) == len(stable.checks)
    assert part.text == (
        "They come out nearly the same if the calculation starts elsewhere, some people are left out by lot and "
        "others counted more than once or missing votes count as something else."
    )


def in_two_groups(rows: Sequence[Sequence[int]]) -> Analysis:
    return analyse(talk(rows), groups=find_groups(talk(rows), k=2))


def test_small_groups_are_not_counted_out() -> None:
    rows = [[1, 1, 1, 1, -1, -1, -1, 1]] * 40 + [[-1, -1, -1, -1, 1, 1, 1, -1]] * 4
    page = read_page(render_public_report(PublicInput(analysis=in_two_groups(rows))))
    assert [row[1:3] for row in table(page, "The groups")[1:]] == [["withheld", "withheld"]] * 2  # 44 less 40 is 4
    assert all(not row["group-a-votes"] and not row["group-b-votes"] for row in saved_table(page))
    regions = table(page, "The map as a table")[1:]
    assert regions and all(set(row[2:]) == {"withheld"} for row in regions), "shares of 40 would say that it is 40"
    assert 'class="dot g1"' not in str(page_of(PublicInput(analysis=in_two_groups(rows)))["map"])


def test_agreement_is_not_denied_where_it_is_withheld() -> None:
    """A group too small to be shown leaves no statement to rank by group: everyone's agreement is told instead."""
    rows = [[1, 1, 1, 1, -1, -1, -1, 1]] * 40 + [[-1, -1, -1, -1, 1, 1, 1, 1]] * 4
    given = PublicInput(analysis=in_two_groups(rows))
    page = read_page(render_public_report(given))
    found = page_of(given)["opinions"]
    assert found.pooled and [one.id for one in found.agreed] == [7, 0, 1, 2, 3] and not found.dividing
    assert {one.id for one in found.refused} == {4, 5, 6}
    method = section(page, "method").text
    assert "is ranked only if it has at least 10 votes" in method and "everyone’s share" in method
    assert "each group cast" not in method and "all groups were" not in method
    opening = page.all("section")[0].text
    assert "5 of 8 statements found a majority. First comes Statement 7 (100% agree)." in opening
    assert "A majority disagrees with 3 of 8 statements. First comes Statement 4 ." in opening
    assert "How the groups differ cannot be shown" in opening and "every group" not in opening
    assert len(section(page, "agree").all("ol")[0].all("li")) == 5
    assert "How the groups differ cannot be shown" in section(page, "divides").text
    assert "no ranked statement" not in page.text
    assert [row[0] for row in section(page, "agree").all("table")[0].rows] == ["Who", "Everyone"]


def test_only_those_who_voted_are_compared_with_the_population(tmp_path: Path) -> None:
    """As `solon collect population` counts: a row without a vote is nobody who took part, whatever is known of them."""
    rows: list[list[int | None]] = [[1, -1], [1, -1], [1, -1], [None, None]]
    people = tmp_path / "people.csv"
    header, *lines = (EXAMPLE / "people.csv").read_text(encoding="utf-8").splitlines()
    people.write_text("\n".join([header, *lines[:4]]) + "\n", encoding="utf-8")
    ids = [int(line.split(",")[0]) for line in lines[:4]]
    sample = read_sample(EXAMPLE / "town.toml", people, talk(rows, people=ids))
    assert sample is not None and sample.participant_ids.tolist() == sorted(ids[:3])


@pytest.fixture(scope="module")
def traced(tmp_path_factory: pytest.TempPathFactory) -> PublicInput:
    """The example with principles made from it."""
    out = tmp_path_factory.mktemp("traced") / "town.toml"
    result = CliRunner().invoke(app, ["collect", "principles", str(EXAMPLE / "export"), "-o", str(out)])
    assert result.exit_code == 0, result.output
    return gather(Sources(folder=EXAMPLE / "export", constitution=out, stability=False))


def test_a_principle_gives_no_small_group_away(traced: PublicInput) -> None:
    """Agreement over all groups, beside the votes of one of two, is agreement in the other."""
    assert traced.constitution and traced.trace
    votes = statement_votes(traced.analysis)
    part = trace_part(traced.constitution, traced.trace, traced.analysis, votes, ENGLISH)
    opened = [one for one in part.principles if all(source.open for source in one.sources)]
    assert opened and all("% agreement on average over the groups. It quotes" in one.gloss for one in opened)
    hidden = [replace(one, groups=tuple(replace(own, hidden=True) for own in one.groups)) for one in votes]
    part = trace_part(traced.constitution, traced.trace, traced.analysis, hidden, ENGLISH)
    assert {one.gloss for one in part.principles} == {"It quotes the words of the public."}
    part = trace_part(traced.constitution, traced.trace, traced.analysis, [], ENGLISH)
    assert all("Behind it stands 1 statement whose text may not be shown." in one.gloss for one in part.principles)


def test_reasons_are_told_where_no_statement_left_out_may_be_shown(traced: PublicInput) -> None:
    assert traced.trace
    kept = tuple(one for one in traced.trace.statements if not one.left_out or one.left_out.code == "rejected")
    given = replace(traced, trace=traced.trace.model_copy(update={"statements": kept}))
    page = read_page(render_public_report(given))
    assert table(page, "Left out, by reason")[1:] == [["rejected by the moderators", "3"]]
    assert "Every statement that was left out" not in page.text


def test_principles_from_other_votes_are_said_to_be(traced: PublicInput) -> None:
    """Made before people were removed, for instance."""
    said = "chosen from other votes than those of this report"
    assert said not in section(read_page(render_public_report(traced)), "principles").text
    talk = traced.analysis.conversation
    fewer = talk.select(participants=np.arange(len(talk.participants)) > 5)
    other = replace(traced, analysis=analyse(fewer))
    assert said in section(read_page(render_public_report(other)), "principles").text


def test_a_statement_without_words_is_said_to_be_one() -> None:
    made = riverside().conversation
    page = read_page(render_public_report(PublicInput(analysis=analyse(with_texts(made, {12: " \n"})))))
    words = [one.text for one in section(page, "agree").all("p") if one.attributes.get("class") == "words"]
    assert "a statement without words Statement 12" in words
    assert all(one.text for one in page.all("q"))


def test_words_of_the_organisers_are_in_their_language() -> None:
    """So that a screen reader says them as they are meant; a title that the page found itself is English."""
    analysis = analyse(riverside().conversation)
    page = read_page(render_public_report(PublicInput(analysis=analysis, words=Words(spoken="de"))))
    assert page.all("h1")[0].attributes == {"id": "headline", "dir": "auto", "lang": "de"}
    assert page.all("div")[0].attributes["lang"] == "de"
    unnamed = replace(analysis, conversation=replace(analysis.conversation, topic=""))
    page = read_page(render_public_report(PublicInput(analysis=unnamed, words=Words(spoken="de"))))
    assert page.all("h1")[0].attributes == {"id": "headline", "dir": "auto"}


def test_groups_that_were_given_are_not_said_to_be_found(tmp_path: Path) -> None:
    """A table may hold any groups; the page that says so may not say elsewhere that they come from the votes."""
    people = "".join(f"{person},{'even' if person % 2 else 'odd'}\n" for person in range(130))
    (tmp_path / "groups.csv").write_text(f"participant,group\n{people}", encoding="utf-8")
    words = {}
    for groups in (str(tmp_path / "groups.csv"), "found"):
        given = gather(Sources(folder=EXAMPLE / "export", groups=groups, stability=False))
        words[groups == "found"] = read_page(render_public_report(given)).text
    found, handed = "fall into 2 groups", "Groups: This report was given 2 groups"
    assert found in words[True] and handed not in words[True] and "A calculation put people who voted" in words[True]
    assert found not in words[False] and handed in words[False] and "A calculation put" not in words[False]
    assert "they were given in a table" in words[False] and "they were given in a table" not in words[True]
