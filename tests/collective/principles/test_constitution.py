"""A constitution from statements and votes: ordinary, linted, traceable, and the same in any order."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from collective.principles.test_neutral import NASTY
from collective.principles.test_selection import groups_of
from solon.collective.conversation import Conversation
from solon.collective.opinion.results import Groups
from solon.collective.principles.constitution import PublicConstitution, assemble, groups_in_words, write_constitution
from solon.collective.principles.merges import Citation, Merge, MergeFile, NamedTopic, Rewording
from solon.collective.principles.selection import Rule, minimum_votes_for
from solon.collective.principles.trace import Trace, trace_path
from solon.collective.reading.folder import open_conversation
from solon.constitution.lint import lint
from solon.constitution.load import load_constitution
from solon.errors import InputError
from talks import talk

TEXTS = [
    "AI should be helpful to everybody",
    "AI shouldn't spread rumours about neighbours",
    "Tea, then talk",
    "The AI should flatter rich people",
    "AI should never mock beginners",
]


def public(*texts: str, people: int = 12, against: tuple[int, ...] = (3,)) -> Conversation:
    """Everybody agrees with everything but the statements at `against`, which the second half opposes."""
    rows = [
        [-1 if at in against and person >= people // 2 else 1 for at in range(len(texts))] for person in range(people)
    ]
    made = talk(rows)
    return replace(
        made,
        topic="Talking machines",
        statements=tuple(
            one.model_copy(update={"text": text}) for one, text in zip(made.statements, texts, strict=True)
        ),
    )


def made(conversation: Conversation, groups: Groups | None = None, **how: object) -> PublicConstitution:
    groups = groups or groups_of(len(conversation.participants) // 2, len(conversation.participants) // 2)
    merges = how.pop("merges", None)
    rule = Rule.model_validate({"minimum_votes": minimum_votes_for(groups), **how})
    assert merges is None or isinstance(merges, MergeFile)
    return assemble(conversation, groups, rule, name="public", merges=merges)


def test_what_everybody_agrees_with_becomes_principles_with_statements_votes_and_intervals() -> None:
    found = made(public(*TEXTS))
    principles = found.constitution.principles
    assert [one.id for one in principles] == ["statement-0", "statement-1", "statement-2", "statement-4"]
    one = principles[1]
    assert one.title == "AI shouldn't spread rumours about neighbours"
    assert one.comparison_question == (
        f"From a public consultation: “{one.title}”. Which response is more in keeping with that? If they are level, "
        "take the more useful one."
    )
    assert one.source.startswith(
        "public input: statement 1 “AI shouldn't spread rumours about neighbours”; agree: group 0 6 of 6 (95% interval "
        "0.61 to 1.00), group 1 6 of 6 (95% interval 0.61 to 1.00); consensus 0.875 per group (product 0.766, "
    )
    assert principles[2].comparison_question is not None and "“Tea, then talk”." in principles[2].comparison_question
    assert found.findings == ()


def test_the_constitution_says_how_it_was_made() -> None:
    assert made(public(*TEXTS)).constitution.description == (
        "Made from public input on “Talking machines”: 4 principles from 5 statements, voted on by 12 participants. "
        "Opinion groups: 2, given in a table (group 0: 6, group 1: 6 people). Rule: consensus of at least 0.85 "
        "(geometric mean over groups of (agrees + 1) / (votes + 2)), at least 3 votes and a majority in every group. "
        "Merges: none."
    )
    assert any("Only 3 votes of every group were asked for" in note for note in made(public(*TEXTS)).trace.notes)
    assert groups_in_words(replace(groups_of(2), method="ccai")).startswith("Opinion groups: 1, found by method ccai")


def test_every_statement_has_a_principle_or_a_reason() -> None:
    trace = made(public(*TEXTS)).trace
    ends = {one.id: one.became or (one.left_out.code if one.left_out else None) for one in trace.statements}
    assert ends == {0: "statement-0", 1: "statement-1", 2: "statement-2", 3: "low-consensus", 4: "statement-4"}
    assert [one.text for one in trace.statements] == TEXTS, "the original wording stands beside"
    assert [(one.statements, one.rank, one.worded_by) for one in trace.principles] == [
        ((0,), 1, "template"),
        ((1,), 2, "template"),
        ((2,), 3, "template"),
        ((4,), 4, "template"),
    ]
    (first, second) = trace.principles[0].figures.groups
    assert (first.agrees, first.disagrees, first.votes, second.votes) == (6, 0, 6, 6)
    assert all(one.remarks == () for one in trace.principles)
    assert [one.ideas for one in trace.curve[:3]] == [0, 0, 4]
    assert [(one.ideas, one.threshold) for one in trace.numbers] == [(4, pytest.approx(0.875))]


def test_what_the_public_rejects_leads_somewhere() -> None:
    """Eleven of twelve disagree with the last: by default a note tells of it, by the rule it becomes a principle."""
    texts = ("AI should be helpful", "AI should flatter rich people")
    talk_ = talk([[1, -1]] * 12)
    worded = (one.model_copy(update={"text": text}) for one, text in zip(talk_.statements, texts, strict=True))
    public_ = replace(talk_, statements=tuple(worded))
    assert any("All groups reject 1 idea as clearly, such as statement 1" in note for note in made(public_).trace.notes)
    found = made(public_, rejected=True)
    (_, rejected) = found.constitution.principles
    assert rejected.title == "Rejected: AI should flatter rich people"
    assert rejected.source == (
        "public input: statement 1 “AI should flatter rich people”; disagree: group 0 6 of 6, group 1 6 of 6"
    )
    assert [one.stance for one in found.trace.principles] == ["agreed", "rejected"]
    assert found.findings == ()


def test_a_fact_about_whoever_said_it_is_no_principle_without_a_warning() -> None:
    found = made(public("AI should be helpful", "I own two boats in Port Albion", against=()))
    assert [one.rule for one in found.findings] == ["fact-about-a-person"]
    assert found.trace.principles[1].remarks == ("states a fact about whoever said it, not what should be done",)


def test_written_it_lints_and_loads_as_what_was_made(tmp_path: Path) -> None:
    found = made(public(*TEXTS))
    out, beside = write_constitution(found, tmp_path / "new" / "public.toml")
    assert lint(out) == ()
    loaded = load_constitution(out)
    assert loaded == found.constitution
    trace = Trace.model_validate_json(beside.read_text(encoding="utf-8"))
    assert (trace.constitution, trace.constitution_sha256) == ("public.toml", loaded.sha256)
    assert beside == trace_path(out)


def test_nasty_statements_are_harmless_in_texts_and_whole_in_the_trace(tmp_path: Path) -> None:
    nasty = [text for text in NASTY if text.isprintable() or "\n" in text]
    found = made(public("AI should be helpful", *nasty, against=()))
    out, beside = write_constitution(found, tmp_path / "public.toml")
    assert not [finding for finding in lint(out) if finding.severity == "error"]
    for one in load_constitution(out).principles:
        for text in (one.comparison_question, one.critique_request, one.revision_request):
            assert text is None or (not set("{}[]<>\n") & set(text) and "(A)" not in text and "Human:" not in text)
        assert "\n" not in one.source
    kept = json.loads(beside.read_text(encoding="utf-8"))["statements"]
    assert [one["text"] for one in kept] == ["AI should be helpful", *nasty]


def test_statements_in_any_language_become_principles_in_their_own_words(tmp_path: Path) -> None:
    texts = (
        "人工智能应该尊重隐私",
        "Die KI soll ihre Quellen nennen",
        "يجب أن يكون المساعد صادقا",
        "L’IA doit être polie",
    )
    found = made(public(*texts, against=()))
    out, _ = write_constitution(found, tmp_path / "public.toml")
    assert lint(out) == ()
    principles = load_constitution(out).principles
    assert tuple(one.title for one in principles) == texts
    for one, text in zip(principles, texts, strict=True):
        assert one.comparison_question and f"“{text}”. Which response" in one.comparison_question


def decided() -> MergeFile:
    return MergeFile(
        format="solon-merges-1",
        made_by="by hand",
        topic=(NamedTopic(name="Rumours & tea!", statements=(0, 1)), NamedTopic(name="…", statements=(4,))),
        merge=(
            Merge(
                id="m",
                decision="yes",
                wording="AI should be helpful and never mock anyone",
                statements=(Citation(id=4, text=TEXTS[4]), Citation(id=0, text=TEXTS[0])),
            ),
        ),
        wording=(
            Rewording(statement=2, decision="no", text=TEXTS[2], note="means nothing"),
            Rewording(statement=1, decision="yes", wording="AI should keep rumours to itself", text=TEXTS[1]),
        ),
    )


def test_decisions_of_a_person_are_followed_and_told() -> None:
    found = made(public(*TEXTS), merges=decided())
    by_id = {one.id: one for one in found.constitution.principles}
    assert set(by_id) == {"statement-4", "statement-1"}
    merged = by_id["statement-4"]
    assert merged.title == "AI should be helpful and never mock anyone"
    assert f"statement 0 “{TEXTS[0]}”; statement 4 “{TEXTS[4]}”; made one by m" in merged.source
    assert "worded by a person: “AI should be helpful and never mock anyone”" in merged.source
    assert merged.tags == () and by_id["statement-1"].tags == ("topic-rumours-tea",)
    assert "Merges: 1 accepted, 0 declined, 0 not decided." in found.constitution.description
    trace = {one.id: one for one in found.trace.statements}
    assert trace[0].became == trace[4].became == "statement-4"
    assert trace[2].left_out is not None and trace[2].left_out.detail == "means nothing"
    assert {one.id: one.worded_by for one in found.trace.principles} == {
        "statement-4": "person",
        "statement-1": "person",
    }


def test_weights_follow_consensus() -> None:
    texts = ["AI should be helpful", "AI should be brief and dry", "AI should avoid long tales about cats"]
    found = made(public(*texts, people=20, against=(1,)), weighted=True, threshold=0.2, majority=False)
    assert {one.id: one.weight for one in found.constitution.principles} == {
        "statement-0": 0.9167,
        "statement-2": 0.9167,
        "statement-1": round(float(np.sqrt(11 / 12 / 12)), 4),
    }


def test_statements_that_seem_the_same_are_pointed_out() -> None:
    pair = ("AI should not spread rumours", "the AI must not spread rumours!")
    notes = made(public("AI should be helpful", *pair, against=())).trace.notes
    assert any("such as statements 1 and 2, and weigh double" in note for note in notes)


@pytest.mark.parametrize(
    ("how", "said"),
    [
        (
            {"threshold": 0.99},
            "no statement reaches 0.99; the nearest is 0 with 0.875 (lower --threshold: 0.85 gives 4; ask for a number "
            "with --ideas)",
        ),
        (
            {"minimum_votes": 7},
            "no statement has 7 votes in every group and can be worded (lower --minimum-votes, or ask for fewer groups "
            "with --k)",
        ),
    ],
)
def test_when_nothing_passes_it_says_how_near_it_was(how: dict[str, object], said: str) -> None:
    with pytest.raises(InputError) as caught:
        made(public(*TEXTS), **how)
    assert str(caught.value) == said


def test_where_no_statement_has_a_majority_everywhere_it_says_so() -> None:
    with pytest.raises(InputError) as caught:
        made(public("AI should be quick", against=(0,)))
    assert str(caught.value) == (
        "no statement has a majority in every group; the nearest is 0 with 0.331 (ask for fewer groups with --k, or "
        "add --no-majority)"
    )


def test_where_nothing_passes_other_thresholds_and_what_is_rejected_are_named() -> None:
    """Of 10 and 10 people, 9, 8 and 7 agree (10/12, 9/12, 8/12), all reject the last; no threshold was told but one."""
    rows = [[1 if at % 10 < n else 0 for n in (9, 8, 7)] + [-1] for at in range(20)]
    with pytest.raises(InputError) as caught:
        made(talk(rows))
    assert str(caught.value) == (
        "no statement reaches 0.85; the nearest is 0 with 0.833 (lower --threshold: 0.8 gives 1, 0.75 gives 2, 0.65 "
        "gives 3; ask for a number with --ideas. All groups reject 1 idea as clearly, such as statement 3; --rejected "
        "makes principles of what is rejected)"
    )
    only = talk([[-1]] * 20)
    with pytest.raises(
        InputError, match=r"add --no-majority\. All groups reject 1 idea as clearly, such as statement 0"
    ):
        made(only)


def test_more_ideas_than_there_are_is_said() -> None:
    assert "500 ideas were asked for; 4 could be had." in made(public(*TEXTS), ideas=500).trace.notes
    assert not any("could be had" in note for note in made(public(*TEXTS), ideas=4).trace.notes)


def test_nothing_to_choose_from() -> None:
    with pytest.raises(InputError, match="no statement is left to choose from"):
        made(talk([[1, 1]] * 4, moderated={0: -1, 1: -1}))


def test_one_person_and_one_group_are_enough() -> None:
    found = made(public("AI should be helpful", people=1, against=()), groups_of(1), threshold=0.6)
    assert [one.id for one in found.constitution.principles] == ["statement-0"]


def test_what_is_there_is_kept_and_what_is_killed_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found, out = made(public(*TEXTS)), tmp_path / "public.toml"
    trace_path(out).write_text("mine", encoding="utf-8")
    with pytest.raises(InputError, match="exists already"):
        write_constitution(found, out)
    with pytest.raises(InputError, match="is no name for a list of principles"):
        write_constitution(found, tmp_path / "public.md")

    def killed(_source: object, _target: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("os.replace", killed)
        with pytest.raises(KeyboardInterrupt):
            write_constitution(found, out, force=True)
    assert trace_path(out).read_text(encoding="utf-8") == "mine"
    assert not out.exists()
    write_constitution(found, out, force=True)
    assert lint(out) == ()


def test_ccai_makes_a_constitution_that_lints(reference_data: Path, tmp_path: Path) -> None:
    """With the study's published group sizes nothing is claimed here: any split does for the words."""
    talk_ = open_conversation(reference_data / "ccai-2023").conversation
    half = Groups(
        participant_ids=talk_.participant_ids,
        labels_G=np.arange(len(talk_.participants)) % 2,
        names=("0", "1"),
        silhouettes={},
        method="given",
    )
    found = made(talk_, half, threshold=0.9)
    assert len(found.constitution.principles) >= 10
    out, _ = write_constitution(found, tmp_path / "ccai.toml")
    assert lint(out) == ()
    assert load_constitution(out) == found.constitution
    texts = {one.id: one.text for one in talk_.statements}
    assert all(one.text == texts[one.id] for one in found.trace.statements)
