from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from solon.config.paths import EMBEDDED
from solon.config.sampling import SamplingOverrides
from solon.errors import ModelError
from solon.models.generation import Preference, alike, preference
from solon.models.where import model_folder


def folder(tmp_path: Path, **settings: Any) -> Path:
    (tmp_path / "generation_config.json").write_text(json.dumps(settings, indent=1))
    return tmp_path


def test_a_model_that_is_to_be_sampled_says_how(tmp_path: Path) -> None:
    asked = {"temperature": 0.6, "top_p": 0.95, "top_k": 20, "eos_token_id": [1, 2], "repetition_penalty": 1.1}
    found = preference(folder(tmp_path, do_sample=True, typical_p=1.0, no_repeat_ngram_size=None, **asked))
    assert found.sampling == SamplingOverrides(temperature=0.6, top_p=0.95, top_k=20)
    assert found.notes("judge") == [
        "where the run file says nothing, generation_config.json of the judge decides: "
        "`temperature 0.6`, `top_p 0.95`, `top_k 20`",
        "generation_config.json of the judge asks for more, which is left out: `repetition_penalty 1.1`",
    ]


def test_others_have_no_wish(tmp_path: Path) -> None:
    assert preference(tmp_path) == preference(model_folder(EMBEDDED)) == Preference()
    for not_sampled in ({}, {"do_sample": False}, {"do_sample": None}):
        assert preference(folder(tmp_path, temperature=0.6, **not_sampled)) == Preference()
    assert Preference().notes("judge") == []


def test_every_value_out_of_range_is_named_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(ModelError) as error:
        preference(folder(tmp_path, do_sample=True, temperature=-1.0, top_p=1.5, top_k="few"))
    file, hint = tmp_path / "generation_config.json", "(mend the file, or take the key out)"
    assert str(error.value).splitlines() == [
        f"{file}:3: temperature is -1.0; expected greater than or equal to 0 {hint}",
        f"{file}:4: top_p is 1.5; expected less than or equal to 1 {hint}",
        f"{file}:5: top_k is 'few'; expected a valid integer, unable to parse string as an integer {hint}",
    ]


@pytest.mark.parametrize("text", ["{", "[1]", "3", "\udcff"])
def test_what_is_no_object_is_told(tmp_path: Path, text: str) -> None:
    file = tmp_path / "generation_config.json"
    file.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(ModelError) as error:
        preference(tmp_path)
    assert str(error.value) == f"{file}: holds no JSON object (copy it again from where the model came from)"


@pytest.mark.parametrize(
    ("settings", "set_to"),
    [
        ({"temperature": 0.0}, "pairs.temperature = 1"),
        ({"top_k": 1, "temperature": 0.7}, "pairs.top_k = 0"),
        ({"top_p": 0.001, "min_p": 1.0}, "pairs.top_p = 1 and pairs.min_p = 0"),
        ({"temperature": 0.1, "top_k": 2, "top_p": 0.5, "min_p": 0.9}, None),
        ({}, None),
    ],
)
def test_where_all_answers_are_alike_is_told_what_to_set(settings: dict[str, Any], set_to: str | None) -> None:
    found = alike(SamplingOverrides(**settings), "pairs")
    assert (found and found.hint) == (set_to and f"set {set_to}")
