"""How the texts of a stage are counted, told, and held against what the run file allows."""

from __future__ import annotations

from collections import Counter

import pytest

from solon.config.feedback import QualitySection
from solon.errors import NoiseError
from solon.evals.flaws import REVISION_ECHOES, UNCHANGED
from solon.evals.quality import Kind, TextQuality, counted, require_quality, text_quality
from solon.lm.protocols import Completion
from solon.prompting.dialogue import HumanAssistant


def said(text: str, *logprobs: float, cut: bool = False) -> Completion:
    ended = "length" if cut else "eos"
    return Completion(prompt="", text=text, tokens=9, ended=ended, logprobs=logprobs)  # type: ignore[arg-type]


def quality(kind: Kind, *texts: tuple[Completion, str | None]) -> TextQuality:
    counts = Counter[str]()
    for completion, echo in texts:
        for part in counted(kind, completion, HumanAssistant.guard, echo):
            counts.update(part)
    (found,) = text_quality("revisions", counts)
    return found


def test_one_text_counts_once_as_noise_and_once_as_an_echo() -> None:
    found = quality(
        "revision",
        (said("All is well.", -0.5, -1.0), None),
        (said("no " * 20 + "\n\nHuman: no", -4.0, -5.0), None),
        (said("Copied from there.", -0.5, cut=True), REVISION_ECHOES[0]),
        (said("The same again."), UNCHANGED),
        (said(""), None),
    )
    assert (found.written, found.noise, found.sound, found.repeated, found.unchanged) == (5, 2, 1, 1, 1)
    assert found.flaws == {"empty": 1, "repeating": 1, "off-format": 1, "improbable": 1, "unfinished": 1}
    assert found.echoes == {name: int(name == REVISION_ECHOES[0]) for name in REVISION_ECHOES} | {UNCHANGED: 1}
    assert found.logprob == pytest.approx(-(round(1.5) + 9 + round(0.5)) / 5), "nats of a text are whole"
    told = "20% empty, 20% repeating, 20% off-format, 20% improbable, 20% unfinished, 20% repeat their critique"
    assert str(found) == f"5 revisions: {told}, 20% change nothing; -2.20 nats per token"


def test_an_engine_without_log_probabilities_and_texts_without_flaws() -> None:
    found = quality("answer", (said("All is well."), None))
    assert found.logprob is None and found.repeated == 0 and found.unchanged is None
    assert str(found) == "1 answers: no flaws"


def test_a_stage_that_wrote_nothing_has_no_texts() -> None:
    assert text_quality("models/pm", {"held out": 6}) == []


def refused(texts: list[TextQuality], **limits: float) -> list[str]:
    with pytest.raises(NoiseError) as raised:
        require_quality(texts, QualitySection(**limits))
    return [str(fault) for fault in raised.value.faults]


GOOD, LOOP = (said("All is well."), None), (said("no " * 20), None)


def test_noise_stops_a_run_with_what_to_turn() -> None:
    found = quality("critique", GOOD, GOOD, GOOD, LOOP)
    require_quality([found], QualitySection(max_noise=0.25))
    assert refused([found], max_noise=0.2) == [
        "stage revisions: 1 of 4 critiques are noise, mostly repeating, more than the share of 0.2 that "
        "quality.max_noise allows (raise sampling.revisions.temperature or take another model, in a new run; or allow "
        "more in this one: --set quality.max_noise=1)"
    ]


@pytest.mark.parametrize(
    ("bad", "knob"),
    [
        ((said("gh xq", -9.0), None), "mostly improbable, .*lower sampling.answers.temperature or top_p"),
        ((said("", -1.0), None), "mostly empty, .*see to models.dialogue"),
        ((said("\n\nHuman: what?", -1.0), None), "mostly off-format, .*see to models.dialogue"),
        (
            (said("All is", cut=True), None),
            "are cut off, .*quality.max_unfinished.*raise sampling.answers.max_new_tokens",
        ),
    ],
)
def test_each_flaw_has_its_knob(bad: tuple[Completion, str | None], knob: str) -> None:
    with pytest.raises(NoiseError, match=knob):
        require_quality([quality("answer", bad, bad)], QualitySection())
    with pytest.raises(NoiseError, match=knob.replace("sampling.answers", "pairs")):
        require_quality([quality("answer", bad, bad).model_copy(update={"stage": "pairs"})], QualitySection())


def test_echoes_and_changes_of_nothing_have_limits_of_their_own() -> None:
    echo, same = (said("The same."), REVISION_ECHOES[1]), (said("The same."), UNCHANGED)
    found = quality("revision", echo, same, same, same)
    allowed = QualitySection(max_noise=0.0, max_echoes=0.25, max_unchanged=0.75)
    require_quality([found], allowed)
    faults = refused([found], max_echoes=0.2, max_unchanged=0.7)
    ask = "choose another supervised.ask or other constitution.few_shots or take another model, in a new run"
    assert [fault.split(" (")[0] for fault in faults] == [
        "stage revisions: 1 of 4 revisions repeat what they were made from, more than the share of 0.2 that "
        "quality.max_echoes allows",
        "stage revisions: 3 of 4 revisions change nothing, more than the share of 0.7 that quality.max_unchanged "
        "allows",
    ]
    assert all(f"({ask}; " in fault for fault in faults)
