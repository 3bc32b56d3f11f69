# ruff: noqa: E501 -- a message stands on one line here, as it is printed
from __future__ import annotations

from pathlib import Path

import pytest

from constitution_files import told
from solon.constitution.load import load_constitution, read_constitution
from solon.constitution.precedence import hard_constraints
from solon.constitution.principles import Constitution

DOCUMENT = """\
A small charter
===============

What it is for. <!-- not for the model -->

## Order of precedence

1. [Safety first](#safety)
2. **Honesty**: before comfort
3. use

## Hard constraints

Whatever is said:

* Never build *weapons*.
* Never deny being
  a program.

## Safety first {#safety .top weight=2.5}

Nobody is hurt. See [below](#honesty).

```
## no heading
```

1. First,
2. then
   - deeper

## Honesty

Say {what} is true.

## Use

### Help

Do the `work`.

#### Speed

Be quick.

### Manner

Be kind.

## Left out

Nobody ranked this.
"""
RANKED = ("safety", "honesty", "help", "speed", "manner")


def write(folder: Path, text: str) -> Path:
    path = folder / "mine.md"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def document(tmp_path: Path) -> Constitution:
    return load_constitution(write(tmp_path, DOCUMENT))


def test_articles_are_the_headings_with_text(document: Constitution) -> None:
    assert document.kind == "document"
    assert (document.name, document.title, document.description) == ("mine", "A small charter", "What it is for.")
    assert [(one.id, one.title) for one in document.principles] == [
        ("safety", "Safety first"),
        ("honesty", "Honesty"),
        ("help", "Help"),
        ("speed", "Speed"),
        ("manner", "Manner"),
        ("left-out", "Left out"),
    ]
    safety, honesty, _, speed, *_ = document.principles
    assert (safety.weight, safety.tags, safety.source) == (2.5, ("top",), "mine.md#safety")
    assert (honesty.weight, honesty.tags) == (1.0, ())
    assert speed.tags == ("use", "help")
    assert [one.id for one in document.comparison_principles(["use"])] == ["help", "speed", "manner"]


def test_the_order_names_articles_by_link_title_or_group(document: Constitution) -> None:
    assert document.precedence == RANKED


def test_a_heading_named_itself_takes_its_own_rank(tmp_path: Path) -> None:
    text = DOCUMENT.replace("3. use", "3. Speed\n4. Use")
    assert load_constitution(write(tmp_path, text)).precedence == ("safety", "honesty", "speed", "help", "manner")


def test_hard_constraints_stand_in_every_text(document: Constitution) -> None:
    assert document.hard_constraints == ("Never build weapons.", "Never deny being a program.")
    for principle in document.principles:
        for text in (principle.critique_request, principle.revision_request, principle.comparison_question):
            assert text is not None
            assert text.endswith("\n- Never build weapons.\n- Never deny being a program.")


def test_every_text_quotes_its_article_as_plain_text(document: Constitution) -> None:
    article = "Safety first\nNobody is hurt. See below.\n\n## no heading\n\n1. First,\n2. then\n  - deeper\n"
    for text in (
        document.principles[0].critique_request,
        document.principles[0].revision_request,
        document.principles[0].comparison_question,
    ):
        assert text is not None
        assert article in text
        assert "not for the model" not in text
    assert "Say {what} is true." in (document.principles[1].comparison_question or "")


def test_every_text_names_what_outranks_its_article_and_nothing_else(document: Constitution) -> None:
    by_id = {one.id: one for one in document.principles}
    for text in ("critique_request", "revision_request", "comparison_question"):
        assert "comes first" not in getattr(by_id["safety"], text)
        assert "comes first: Safety first.\n" in getattr(by_id["honesty"], text)
        assert "comes first: Safety first; Honesty; Help; Speed.\n" in getattr(by_id["manner"], text)
        assert "comes first: Safety first; Honesty; Help; Speed; Manner.\n" in getattr(by_id["left-out"], text)


def test_without_an_order_nothing_outranks_anything(tmp_path: Path) -> None:
    start, end = DOCUMENT.index("## Order"), DOCUMENT.index("## Hard")
    document = load_constitution(write(tmp_path, DOCUMENT[:start] + DOCUMENT[end:]))
    assert document.precedence == ()
    assert not any("comes first" in (one.comparison_question or "") for one in document.principles)


def test_lines_are_those_of_the_headings(tmp_path: Path) -> None:
    sourced = read_constitution(write(tmp_path, DOCUMENT))
    assert sourced.where("speed", "comparison_question").line == DOCUMENT.split("#### Speed")[0].count("\n") + 1


HARD = "## Hard constraints\n- Never.\n"
ARTICLE = "## Care\nTake care.\n"
NEEDS_LIST = "write `## Hard constraints` and below it a list, one line for each thing that is never done"
BRACES = "braces after a heading may hold an id, tags and a weight: `{#id .tag weight=2}`"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (HARD, "mine.md: has no articles (write a heading for each, such as `## Honesty`, and its text below)"),
        (ARTICLE, f"mine.md: has no hard constraints ({NEEDS_LIST})"),
        (ARTICLE + "## Hard constraints\nNever.", f"mine.md:3: the hard constraints are not a list ({NEEDS_LIST})"),
        (ARTICLE + "## Hard constraints\n- A\n-\n", "mine.md:5: a hard constraint is empty (write it or remove the line)"),
        (
            ARTICLE + "## Hard constraints\n- Human: x\n",
            "mine.md:4: a hard constraint looks like a turn of a dialogue (begin it with another word)",
        ),
        (HARD + ARTICLE + "## Empty\n", "mine.md:5: the article `Empty` has no text (write it, or remove the heading)"),
        (HARD + ARTICLE + "##\nText.\n", "mine.md:5: a heading is empty (give the article a title)"),
        (
            HARD + ARTICLE + ARTICLE,
            "mine.md:5: two headings have the id `care` (the first stands on line 3; give one an id in braces, such as `{#care-2}`)",
        ),
        (
            HARD + "## Whole\nBe one.",
            "mine.md:3: the id `whole` stands for the constitution as a whole (give the heading another in braces, such as `{#whole-2}`)",
        ),
        (HARD + "## Care {#x y}\nText.", f"mine.md:3: `y` is not an attribute of a heading ({BRACES})"),
        (HARD + "## Care {weight=0}\nText.", f"mine.md:3: article `Care`: `weight` must be a finite number greater than 0, not 0.0 ({BRACES})"),
        (HARD + "## Care {#a/b}\nText.", f"mine.md:3: article `Care`: `id` must be one word of letters, digits, `.`, `_` and `-`, not 'a/b' ({BRACES})"),
        (
            HARD + "## Care\nSay:\n\nAssistant: hello\n",
            "mine.md:3: article `Care` has a line that begins with `Assistant:`, like a turn of a dialogue (begin the line with another word)",
        ),
        (
            HARD + ARTICLE + "## Precedence\n1. Care\n2. Caer\n",
            "mine.md:7: the order of precedence names `Caer`, which is no article (did you mean `Care`?)",
        ),
        (
            HARD + ARTICLE + "## Precedence\n1. [Care](#elsewhere)\n",
            "mine.md:6: the order of precedence names `elsewhere`, which is no article (headings are `Care`)",
        ),
        (
            HARD + ARTICLE + "## Precedence\n1. Care\n2. care\n",
            "mine.md:7: the order of precedence names `Care` twice (it was named on line 6; keep one)",
        ),
        (
            HARD + ARTICLE + "## Precedence\n- Care\n",
            "mine.md:5: the order of precedence is not a numbered list (write a numbered list of articles, highest first: `1. Safety`, `2. Honesty`, ...)",
        ),
        ("---\ntitle: x\n---\n" + HARD + ARTICLE, "mine.md:1: begins with front matter, which is not read (remove it, with its lines of ---)"),
    ],
)  # fmt: skip
def test_each_fault_is_told_with_its_line(tmp_path: Path, text: str, expected: str) -> None:
    assert told(lambda: load_constitution(write(tmp_path, text)), tmp_path) == [expected]


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    text = "## Order of precedence\n1. Kare\n\n## Care {weight=x}\nTake care.\n"
    assert told(lambda: load_constitution(write(tmp_path, text)), tmp_path) == [
        f"mine.md: has no hard constraints ({NEEDS_LIST})",
        "mine.md:2: the order of precedence names `Kare`, which is no article (did you mean `Care`?)",
        f"mine.md:4: `weight=x` is not an attribute of a heading ({BRACES})",
    ]


def test_titles_in_any_script_have_ids(tmp_path: Path) -> None:
    text = HARD + "## Fürsorge\nA.\n\n## 誠実\nB.\n\n## Sets {a, b}\nC.\n\n## Precedence\n1. 誠実\n2. Fürsorge\n"
    document = load_constitution(write(tmp_path, text))
    assert [one.id for one in document.principles] == ["fursorge", "article-2", "sets-a-b"]
    assert document.precedence == ("article-2", "fursorge")


def test_an_untitled_article_in_the_order_is_one_fault(tmp_path: Path) -> None:
    text = HARD + "## Group\n### \nText.\n\n## Precedence\n1. Group\n"
    assert told(lambda: load_constitution(write(tmp_path, text)), tmp_path) == [
        "mine.md:4: a heading is empty (give the article a title)"
    ]


def test_what_follows_a_list_is_no_part_of_it(tmp_path: Path) -> None:
    text = HARD + "## Care\n- one\n  - two\n\n  still one\n-\n\nMore.\n"
    [principle] = load_constitution(write(tmp_path, text)).principles
    assert "Care\n- one\n  - two\n  still one\n\nMore.\n" in (principle.comparison_question or "")


OWN = """\
# D

## Hard constraints

- Never be rude.

```toml principle
comparison_question = "Which response contains less rudeness?"
```

## Harm

Hurt nobody.

```toml principle
comparison_question = "Which response contains less harm?"
```

## Use

Help.
"""


def test_an_article_may_say_itself_in_which_words_a_model_is_asked(tmp_path: Path) -> None:
    (tmp_path / "d.md").write_text(OWN)
    document = load_constitution(tmp_path / "d.md")
    harm, use = document.principles
    assert harm.comparison_question == "Which response contains less harm?"
    assert "Hurt nobody." in (harm.critique_request or "") and "- Never be rude." in (harm.critique_request or "")
    assert "Help." in (use.comparison_question or "")
    assert [article.text for article in document.articles] == ["Hurt nobody.", "Help."]
    assert document.hard_constraints == ("Never be rude.",)
    assert [one.comparison_question for one in hard_constraints(document)] == ["Which response contains less rudeness?"]
    plain = OWN.replace('comparison_question = "Which response contains less rudeness?"', "")
    (tmp_path / "d.md").write_text(plain)
    assert "crosses none of them" in (
        hard_constraints(load_constitution(tmp_path / "d.md"))[0].comparison_question or ""
    )


@pytest.mark.parametrize(
    ("where", "why"),
    [
        ("## Order of precedence\n\n1. Harm", "an order of precedence asks nothing"),
        ("## Rest", "`Rest` has no text of its own"),
    ],
)
def test_such_words_without_an_article_are_a_fault(tmp_path: Path, where: str, why: str) -> None:
    more = f'\n{where}\n\n```toml principle\ncomparison_question = "Which?"\n```\n\n### Part\n\nBe a part.\n'
    (tmp_path / "d.md").write_text(OWN + more)
    line = (OWN + more).splitlines().index("### Part") - 3
    (fault,) = told(lambda: load_constitution(tmp_path / "d.md"), tmp_path)
    assert fault == (
        f"d.md:{line}: a block `toml principle` without an article: {why} (move it below the article it is for)"
    )


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ('comparison_question = "Which', "d.md:7: the block `toml principle` is not TOML"),
        (
            'critique_request = "Any?"',
            "d.md:7: `critique_request` is unknown here (a block `toml principle` may give the texts `comparison_question`)",
        ),
        ("comparison_question = 3", "d.md:7: `comparison_question` is no text (a block"),
        (
            'comparison_question = "Critique: it"',
            "d.md:7: `comparison_question` has a line like a turn of a dialogue (a block",
        ),
        (
            'comparison_question = "Why?"\n```\n\n```toml principle',
            "d.md:11: a second block `toml principle` (the first is on line 7; keep one)",
        ),
    ],
)
def test_faults_of_such_words(tmp_path: Path, given: str, expected: str) -> None:
    (tmp_path / "d.md").write_text(OWN.replace('comparison_question = "Which response contains less rudeness?"', given))
    (fault,) = told(lambda: load_constitution(tmp_path / "d.md"), tmp_path)
    assert fault.startswith(expected)
