from __future__ import annotations

from pathlib import Path

import pytest

from solon.constitution.lint import Finding, lint

BALANCED = '[[principle]]\nid = "open"\ncomparison_question = "Which one refuses less?"\n'
PAIR = '[[principle]]\nid = "pair"\ncritique_request = "What is wrong?"\nrevision_request = "Mend it."\n'
HARD = "## Hard constraints\n- Never.\n"


def found(folder: Path, text: str, suffix: str = ".toml") -> list[Finding]:
    path = folder / f"mine{suffix}"
    path.write_text(text, encoding="utf-8")
    return list(lint(path))


def question(text: str) -> str:
    return f'{BALANCED}{PAIR}[[principle]]\nid = "x"\ncomparison_question = "{text}"\n'


def test_a_good_list_has_no_findings(tmp_path: Path) -> None:
    assert found(tmp_path, question("Choose the response that a careful nurse would give.")) == []


def test_faults_are_errors(tmp_path: Path) -> None:
    findings = found(tmp_path, "[[principle]]\nid = 'a'\nweight = 0")
    assert [(one.severity, one.rule, one.where and one.where.line) for one in findings] == [
        ("error", "fault", 1),
        ("error", "fault", 3),
    ]
    assert str(findings[1]).endswith(":3: error: principle `a`: `weight` must be a finite number greater than 0, not 0")


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("Which is kinder, (A) or (B)?", "names-an-option"),
        ("Is response A kinder than the other? Choose.", "names-an-option"),
        ("Which one is kinder? Options:", "names-an-option"),
        ("Which is kinder? Choose the first response if unsure.", "names-an-option"),
        ("Which response is more harmful?", "asks-for-the-worse"),
        ("Choose the worst response.", "asks-for-the-worse"),
        ("The response must be kind.", "not-a-choice"),
        ("Which one is kinder to {name}?", "placeholder"),
        ("Which one is kinder " + "and kinder " * 60 + "?", "too-long"),
    ],
)
def test_questions_that_will_disappoint(tmp_path: Path, text: str, rule: str) -> None:
    [finding] = found(tmp_path, question(text))
    assert (finding.severity, finding.rule, finding.where and finding.where.line) == ("warning", rule, 10)
    assert finding.hint


@pytest.mark.parametrize(
    "text",
    [
        "Which response a wise friend would give?",
        "Choose the response that is less harmful and more honest.",
        "Which response would you rather have received first?",
        "Which is of no more use to a thief?",
    ],
)
def test_questions_that_only_look_suspicious(tmp_path: Path, text: str) -> None:
    assert found(tmp_path, question(text)) == []


def test_near_duplicates_are_told_once_at_the_second(tmp_path: Path) -> None:
    one = "Which response shows more respect for people of every age and origin?"
    text = question(one) + f'[[principle]]\nid = "y"\ncomparison_question = "{one.replace("more", "greater")}"\n'
    [finding] = found(tmp_path, text)
    assert (finding.rule, finding.where and finding.where.line) == ("near-duplicate", 13)
    assert finding.what == "`y` is nearly the same as `x` (comparison question)"


def test_what_is_quoted_sets_two_principles_apart_that_ask_the_same_of_it(tmp_path: Path) -> None:
    first = "From a public consultation: “AI must never be rude”. Which response is more in keeping with that?"
    second = '[[principle]]\nid = "y"\ncomparison_question = "{}"\n'
    assert found(tmp_path, question(first) + second.format(first.replace("rude", "cruel"))) == []
    [finding] = found(tmp_path, question(first) + second.format(first.replace("rude", "Rude!")))
    assert finding.rule == "near-duplicate"


def test_a_fact_about_whoever_said_it_is_told_once_for_a_principle(tmp_path: Path) -> None:
    text = question("From a public consultation: “I own two boats in Port Albion”. Which response is better?")
    [finding] = found(tmp_path, text)
    assert (finding.rule, finding.severity) == ("fact-about-a-person", "warning")
    assert finding.what == "`x` states a fact about whoever said it: 'I own two boats in Port Albion'"
    assert finding.hint == "a model cannot follow it; leave it out, or say what an AI should do"
    assert (
        found(tmp_path, HARD + "## Care\nI live in your machine, without preaching.\n", ".md")[0].rule != finding.rule
    )


def test_a_swapped_pair(tmp_path: Path) -> None:
    swapped = PAIR.replace("What is wrong?", "Please rewrite the response.")
    [finding] = found(tmp_path, BALANCED + swapped)
    assert (finding.rule, finding.where and finding.where.line) == ("swapped-pair", 6)


def test_only_prohibitions_invite_evasion(tmp_path: Path) -> None:
    text = BALANCED.replace("refuses less", "does less harm") + PAIR
    assert [one.rule for one in found(tmp_path, text)] == ["invites-evasion"]


def test_a_principle_that_drowns_the_others(tmp_path: Path) -> None:
    text = (
        question("Which one is kinder?")
        + "weight = 5\n"
        + question("Which is calmer?").split(PAIR)[1].replace("x", "y")
    )
    [finding] = found(tmp_path, text)
    assert finding.rule == "heavy"
    assert finding.what == "`x` is drawn 71% of the time among 3 comparison questions"  # 5 / (1 + 5 + 1)


def test_a_stage_without_principles(tmp_path: Path) -> None:
    [finding] = found(tmp_path, BALANCED)
    assert finding.rule == "one-stage-only"
    assert "there are no critique pairs" in finding.what


def test_a_tag_that_is_an_id(tmp_path: Path) -> None:
    [finding] = found(tmp_path, BALANCED + 'tags = ["pair"]\n' + PAIR)
    assert (finding.rule, finding.where and finding.where.line) == ("ambiguous-name", 4)


def test_html_in_a_document_is_told_by_its_line(tmp_path: Path) -> None:
    text = (
        HARD
        + "## Care\n\nBe <b>kind</b>.\n\n<!-- of old -->\n\n<div>Never</div>\n\nSay `<b>`, <!-- yes --> and 1 < 2.\n"
    )
    told = [one for one in found(tmp_path, text, ".md") if one.rule == "html"]
    lines = text.splitlines()
    assert [lines[one.where.line - 1] for one in told if one.where] == ["Be <b>kind</b>.", "<div>Never</div>"]


def test_documents(tmp_path: Path) -> None:
    articles = "## Care\nTake care of people, without preaching.\n\n## Truth\nSay what is true.\n\n"
    order = "## Order of precedence\n1. Care\n"
    assert [one.rule for one in found(tmp_path, HARD + articles, ".md")] == ["no-precedence"]
    [unranked] = found(tmp_path, HARD + articles + order, ".md")
    assert unranked.what == "the order of precedence leaves out `truth`"
    assert unranked.where
    assert unranked.where.line == 6
    assert found(tmp_path, HARD + articles + order + "2. Truth\n", ".md") == []
    long = articles + "## More\n" + "word " * 251
    assert "too-long" in [one.rule for one in found(tmp_path, HARD + long, ".md")]
    copies = articles + "## Truth again {#again}\nSay what is true.\n"
    assert "near-duplicate" in [one.rule for one in found(tmp_path, HARD + copies, ".md")]
