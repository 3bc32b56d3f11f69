"""The public report in other languages: every text is there, no English is left, and it runs the way it is read."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from typer.testing import CliRunner

from report.public_page import Element, read_page, section
from report.riverside import with_texts
from solon import __version__
from solon.cli.main import app
from solon.collective.opinion.analysis import analyse
from solon.collective.opinion.given_groups import Beside
from solon.errors import InputError
from solon.report.public.catalogue import language_of, new_catalogue, shipped_languages, source
from solon.report.public.gather import Sources, gather
from solon.report.public.inputs import PublicInput, Removed
from solon.report.public.page import render_public_report
from talks import random_rows, talk
from voters import stability_of

EXAMPLE = Path(__file__).resolve().parents[2] / "docs/examples/riverside"
CATALOGUES = Path(__file__).resolve().parents[2] / "src/solon/report/public/catalogues"
OTHERS = tuple(sorted(one.stem for one in CATALOGUES.glob("*.po")))
ENGLISH_WORDS = re.compile(r"\b(the|of|and|who|were|that|this|people|statements?)\b", re.IGNORECASE)
TEXTS = ("text", "title", "aria-label", "alt", "placeholder", "data-said")


def with_everything(traced: Path) -> PublicInput:
    """The example town in words without English, with every part that a page can have."""
    given = gather(Sources(folder=EXAMPLE / "export", constitution=traced, stability=False))
    analysis = given.analysis
    talk = with_texts(analysis.conversation, {one.id: f"§{one.id}" for one in analysis.conversation.statements})
    important = tuple(one.model_copy(update={"importance_votes": 40}) for one in talk.statements)
    assert given.constitution
    principles = tuple(
        one.model_copy(
            update={"title": "§", "comparison_question": "§", "critique_request": "§", "revision_request": "§"}
        )
        for one in given.constitution.principles
    )
    return replace(
        given,
        analysis=replace(analysis, conversation=replace(talk, statements=important, topic="§", description="§")),
        constitution=given.constitution.model_copy(update={"principles": principles}),
        stability=stability_of(talk, analysis.groups, repeats=1),
        removed=(Removed(rule="speed", reason="in English", kind="participant", count=30),),
        exported=Beside(k=3, people=100, likeness=0.6, kept_share=0.8),
        findings=(),
    )


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> PublicInput:
    out = tmp_path_factory.mktemp("traced") / "town.toml"
    result = CliRunner().invoke(app, ["collect", "principles", str(EXAMPLE / "export"), "-o", str(out)])
    assert result.exit_code == 0, result.output
    return with_everything(out)


def said(one: Element) -> list[str]:
    """Every text that a reader or a screen reader meets, below this element."""
    found = []
    for child in one.children:
        if isinstance(child, str):
            found.append(child)
        elif child.tag not in ("script", "style"):
            found += [value for name in TEXTS if (value := child.attributes.get(name))]
            found += said(child)
    return found


def test_there_are_five_languages_and_english() -> None:
    assert shipped_languages() == ["en", "ar", "de", "es", "fr", "zh"]
    assert {tag: language_of(tag).direction for tag in OTHERS} == dict.fromkeys(OTHERS, "ltr") | {"ar": "rtl"}


@pytest.mark.parametrize("tag", OTHERS)
def test_a_catalogue_has_every_text_and_no_other(tag: str) -> None:
    """Reading it checks places and plural forms; a text that changed in English is missing until it is translated."""
    language = language_of(tag)
    with (CATALOGUES / f"{tag}.po").open("rb") as file:
        catalogue = read_po(file)
    assert language.missing == 0
    assert {one.id for one in catalogue if one.id} == {one.id for one in source() if one.id}
    assert not [one.id for one in catalogue if one.fuzzy and one.id]


@pytest.mark.parametrize("tag", OTHERS)
def test_no_english_is_left_on_the_page(everything: PublicInput, tag: str) -> None:
    html = render_public_report(replace(everything, language=language_of(tag)))
    page = read_page(html)
    top = page.all("html")[0].attributes
    assert top == {"lang": tag, "dir": "rtl" if tag == "ar" else "ltr"}
    assert [text for text in said(page) if len(ENGLISH_WORDS.findall(text)) > 1] == []
    english = set(said(read_page(render_public_report(everything))))
    same = {text.strip() for text in said(page) if text in english and re.search(r"[A-Za-z]{4}.* ", text.strip())}
    assert same == {f"Solon {__version__}"}


def test_the_page_in_english_has_every_part(everything: PublicInput) -> None:
    """So that the tests of other languages see them all."""
    text = read_page(render_public_report(everything)).text
    for part in (
        "40 people called it important.",
        "Here at least 85% was asked for.",
        "The export names 3 groups of its own; of the 100 people in both, 80% are together in both.",
        "They voted faster than anybody reads.",
        "the number in this report. All choices:",
        "From this conversation came 6 principles",
    ):
        assert part in text, part


def test_numbers_dates_and_lists_are_those_of_the_language() -> None:
    first = 1_703_894_400_000
    told = {
        tag: (say.number(12345), say.whole(0.5), say.number(0.5, 2), say.listed(["A", "B", "C"]), say.day(first))
        for tag in ("en", "en-US", "de", "fr", "es", "zh")
        if (say := language_of(tag))
    }
    assert told == {
        "en": ("12,345", "50%", "0.50", "A, B and C", "30 December 2023"),
        "en-US": ("12,345", "50%", "0.50", "A, B, and C", "December 30, 2023"),
        "de": ("12.345", "50\xa0%", "0,50", "A, B und C", "30. Dezember 2023"),
        "fr": ("12\u202f345", "50\xa0%", "0,50", "A, B et C", "30 décembre 2023"),
        "es": ("12.345", "50\xa0%", "0,50", "A, B y C", "30 de diciembre de 2023"),
        "zh": ("12,345", "50%", "0.50", "A、B和C", "2023年12月30日"),
    }
    assert language_of("de-CH").number(12345) == "12'345" and language_of("de-CH").statements(2) == "2 Aussagen"
    assert (language_of("de-CH").tag, language_of("en").tag, language_of("zh_CN").tag) == ("de-CH", "en", "zh-Hans-CN")


def test_plurals_are_those_of_the_language() -> None:
    arabic = language_of("ar")
    assert [arabic.people(n) for n in (1, 2, 5, 11, 100)] == [
        "شخص واحد",
        "شخصين",
        "\u20685\u2069 أشخاص",
        "\u206811\u2069 شخصًا",
        "\u2068100\u2069 شخص",
    ]
    assert language_of("fr").votes(0) == "0 vote" and language_of("en").votes(0) == "0 votes"


def test_statements_in_another_language_run_their_own_way() -> None:
    analysis = analyse(talk(random_rows(0, 40, 8)))
    page = read_page(render_public_report(PublicInput(analysis=analysis, language=language_of("ar"))))
    assert {one.attributes["dir"] for one in page.all("q")} == {"auto"}
    assert "\u2068A\u2069" in section(page, "divides").all("h4")[0].text


def test_a_catalogue_of_ones_own(tmp_path: Path) -> None:
    """Begun, filled in for two texts, used; what it lacks is English and counted."""
    path, out = tmp_path / "nl.po", tmp_path / "page.html"
    assert CliRunner().invoke(app, ["collect", "catalog", "nl", "-o", str(path)]).exit_code == 0
    text = path.read_text(encoding="utf-8")
    begun = text.replace('msgid "Who took part"\nmsgstr ""', 'msgid "Who took part"\nmsgstr "Wie deed mee <b>"')
    assert begun != text
    path.write_text(begun, encoding="utf-8")
    command = ["collect", "report", str(EXAMPLE / "export"), "-o", str(out), "--catalog", str(path), "--no-stability"]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, result.output
    assert f"the catalogue lacks {len(source()) - 1} texts of the page, which stayed English" in result.output
    page = read_page(out.read_text(encoding="utf-8"))
    assert page.all("html")[0].attributes["lang"] == "nl" and "130 people took part" in page.text
    assert section(page, "people").all("h2")[0].text == "Wie deed mee <b>" and not page.all("b")
    again = new_catalogue("nl", path).decode()
    assert 'msgstr "Wie deed mee <b>"' in again


def test_a_catalogue_without_texts_or_of_another_language_is_refused(tmp_path: Path) -> None:
    """Once the page was English and said to be Dutch, or had Dutch texts with German dates."""
    path = tmp_path / "nl.po"
    path.write_bytes(new_catalogue("nl"))
    with pytest.raises(InputError, match=r"nl\.po: no text is filled in \(fill it in, or leave out --catalog\)"):
        language_of("", path)
    with pytest.raises(InputError, match=r"nl\.po: is a catalogue of Dutch, and --language is de \(leave out one"):
        language_of("de", path)


def test_what_is_wrong_with_a_catalogue_is_said_by_line(tmp_path: Path) -> None:
    path = tmp_path / "xx.po"
    head = 'msgid ""\nmsgstr "Language: de\\nPlural-Forms: nplurals=2; plural=(n != 1);\\n"\n\n'
    vote = 'msgid "%(n)s vote"\nmsgid_plural "%(n)s votes"\nmsgstr[0] "eine Stimme"\nmsgstr[1] "%(k)s Stimmen"\n\n'
    path.write_text(head + vote + 'msgid "Data: %(whose)s"\nmsgstr "100 % von %(whose)s"\n', encoding="utf-8")
    with pytest.raises(InputError) as caught:
        language_of("", path)
    hint = "(keep every %(name)s, and write %% for a percent sign)"
    assert str(caught.value).splitlines() == [
        f"{path}:4: '%(k)s Stimmen' has other places than '%(n)s votes' {hint}",
        f"{path}:9: '100 % von %(whose)s' has other places than 'Data: %(whose)s' {hint}",
    ]


@pytest.mark.parametrize(
    ("rule", "what"),
    [
        ("plural=__import__('os').getpid();", "invalid token in plural form: __import__"),
        ("plural=(n != ;", "unexpected end of plural form"),
        ("plural=n/0;", "integer division or modulo by zero"),
        ("plural=n;", "the rule under Plural-Forms names a form that is not there"),
    ],
)
def test_a_plural_rule_is_no_program_and_names_forms_that_are_there(tmp_path: Path, rule: str, what: str) -> None:
    path = tmp_path / "xx.po"
    path.write_text(f'msgid ""\nmsgstr "Language: de\\nPlural-Forms: nplurals=2; {rule}\\n"\n', encoding="utf-8")
    with pytest.raises(InputError) as caught:
        language_of("", path)
    assert str(caught.value) == f"{path}: is no catalogue: {what}"


def test_languages_that_are_not_there(tmp_path: Path) -> None:
    for tag, what in (
        ("nl", "no catalogue for the language nl; there are en, ar, de, es, fr, zh (give one with --catalog; `solon"),
        ("zh-TW", "no catalogue for the language zh-TW; there are"),
        ("deutsch!", "'deutsch!' is no language (write a tag such as de, pt-BR or zh-Hant)"),
    ):
        with pytest.raises(InputError) as caught:
            language_of(tag)
        assert str(caught.value).startswith(what)
    path = tmp_path / "nameless.po"
    path.write_text('msgid "Map"\nmsgstr "Kaart"\n', encoding="utf-8")
    with pytest.raises(InputError, match=r"nameless\.po: does not say its language \(add it with --language"):
        language_of("", path)
    path.write_text("no catalogue\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"nameless\.po: is no catalogue: "):
        language_of("nl", path)
