"""A reply that is told while it is written is the reply that is not."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from lm.contract import ASK, run
from lm.server import Habits, serving
from lm.test_endpoint import PLAIN, opened
from solon.errors import GarbledError
from solon.lm.endpoint.model import EndpointModel
from solon.lm.engines import ModelSpec
from solon.lm.engines.local import LocalModel, open_engine
from solon.lm.engines.scripted import ScriptedModel
from solon.lm.protocols import Sampling
from solon.lm.stops import TextOf
from solon.lm.streaming import streamed
from solon.models.where import embedded_model
from solon.prompting.dialogue import DELIMITERS, HumanAssistant
from tiny_models import tiny_model_folder, tiny_tokenizer


@pytest.fixture(scope="module")
def embedded() -> LocalModel:
    return open_engine(ModelSpec(model=str(embedded_model()), format=HumanAssistant()))


@pytest.fixture(scope="module")
def noise(tmp_path_factory: pytest.TempPathFactory) -> LocalModel:
    """A random model of a byte vocabulary: half characters, stop strings half begun."""
    folder = tiny_model_folder(tmp_path_factory.mktemp("noise"))
    return open_engine(ModelSpec(model=str(folder), format=HumanAssistant(stop=("e", "th", "\n\n"))))


def told(model: LocalModel | ScriptedModel | EndpointModel, seed: int, tokens: int = 24) -> tuple[list[str], str, str]:
    """Its pieces, the text of that reply, and the text of the same reply without streaming."""
    pieces: list[str] = []
    how = Sampling(max_new_tokens=tokens)
    found = run(streamed(model, ASK, how, seed=seed, tell=pieces.append))
    return pieces, found.text, run(model.complete(ASK, how, seed=seed)).text


@pytest.mark.parametrize("seed", range(4))
def test_the_pieces_are_the_reply(embedded: LocalModel, seed: int) -> None:
    pieces, text, plain = told(embedded, seed)
    assert "".join(pieces) == text == plain
    assert len(pieces) > 3, "it is told while it is written"


def test_nothing_is_told_that_is_taken_back(noise: LocalModel) -> None:
    cut = 0
    for seed in range(24):
        pieces, text, plain = told(noise, seed)
        assert "".join(pieces) == text == plain
        cut += len(pieces) > 1
    assert cut, "some are told in pieces"


def test_an_engine_that_does_not_stream_tells_it_whole() -> None:
    pieces, text, plain = told(ScriptedModel(), 3)
    assert pieces == [text] == [plain]


class Enough(Exception):
    pass


def test_what_listening_raises_ends_the_reply_and_the_model_goes_on(embedded: LocalModel) -> None:
    heard: list[str] = []

    def hear(piece: str) -> None:
        heard.append(piece)
        if len(heard) == 2:
            raise Enough

    with pytest.raises(Enough):
        run(streamed(embedded, ASK, Sampling(max_new_tokens=24), seed=0, tell=hear))
    pieces, text, plain = told(embedded, 0)
    assert "".join(pieces) == text == plain and len(heard) == 2


@pytest.mark.parametrize(
    ("written", "certain"),
    [
        ("Yes. ", "Yes."),
        ("Yes.\n\nHum", "Yes."),
        ("Yes.\n\nHumble pie", "Yes.\n\nHumble pie"),
        ("<thi", ""),
        ("<think>It asks", ""),
        ("<think>It asks</think> Yes", "Yes"),
        ("Gr\u00fc", "Gr\u00fc"),
    ],
)
def test_what_is_certain(written: str, certain: str) -> None:
    tokenizer = tiny_tokenizer()
    text_of = TextOf(tokenizer, len(tokenizer))
    ids: Sequence[int] = tokenizer.encode(written, add_special_tokens=False)
    assert text_of.certain(ids, DELIMITERS) == certain


def test_half_a_character_is_not_told() -> None:
    tokenizer = tiny_tokenizer()
    text_of = TextOf(tokenizer, len(tokenizer))
    ids = tokenizer.encode("a\U0001fa9c", add_special_tokens=False)
    assert len(ids) > 2, "the vocabulary has no token for it"
    assert [text_of.certain(ids[:count], ()) for count in (len(ids) - 1, len(ids))] == ["a", "a\U0001fa9c"]


@pytest.mark.parametrize("chat", [False, True], ids=["completions", "chat"])
def test_a_server_is_heard_while_it_writes(chat: bool) -> None:
    habits = Habits(reply=lambda request: "<think>Hm.</think> Yes, of course.\n\nHuman: Why?")
    with serving(habits) as server:
        model = opened(server, chat=chat)
        pieces, text, plain = told(model, 3)
        assert "".join(pieces) == text == plain and len(pieces) > 3
        streamed_one, whole_one = server.asked
        assert streamed_one["stream"] is True and "stream" not in whole_one
        assert model.counts["tokens written"] > 0  # type: ignore[attr-defined]


def test_a_reply_that_breaks_off_is_not_begun_anew() -> None:
    """Another one would not go on with what was told."""
    with serving(PLAIN, faults=lambda asked, times: "truncated" if asked.get("stream") else None) as server:
        heard: list[str] = []
        model = opened(server)
        with pytest.raises(GarbledError):
            run(streamed(model, ASK, Sampling(max_new_tokens=24), seed=0, tell=heard.append))
        assert heard and len(server.asked) == 1


def test_before_anything_was_told_a_server_is_asked_again() -> None:
    with serving(PLAIN, faults=lambda asked, times: "500" if times == 0 else None) as server:
        pieces, text, _ = told(opened(server), 3)
        assert "".join(pieces) == text


def test_a_server_that_does_not_stream_is_heard_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("solon.lm.endpoint.events.ASKED", {})
    with serving(PLAIN) as server:
        pieces, text, _ = told(opened(server), 3)
        assert pieces == [text]
