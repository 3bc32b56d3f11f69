"""Two adapters on one model: each reads by its own, and the second is a folder that peft loads."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from transformers import AutoModelForSequenceClassification, PreTrainedModel

import zoo
from solon.config.training import LoraSection
from solon.errors import ModelError
from solon.models.adapter_files import BASE, CONFIG, WEIGHTS, fingerprint, knows_its_base, save_adapter
from solon.models.adapters import LEARNING, adapter_weights, add_adapters, fold, reading_by, without_adapters
from solon.models.heads import ADAPTER, PreferenceModel
from solon.models.inputs import body_of
from solon.models.load import save_model
from tiny_models import tiny_tokenizer
from zoo import zoo_model

LORA = LoraSection(rank=4, alpha=8)
KINDS = ["llama", "qwen2", "gpt_neox", "gpt2", "mixtral", "opt", "bloom"]
pytestmark = pytest.mark.filterwarnings("ignore:.*will be removed in v6:FutureWarning")  # peft's use of transformers
IDS = torch.tensor([[5, 9, 30, 31, 32, 7]])
MASK = torch.ones_like(IDS).bool()


def model_of(kind: str) -> PreTrainedModel:
    return zoo_model(zoo.KINDS[kind])


def learned(model: PreTrainedModel, seed: int) -> PreTrainedModel:
    """With adapters as if training had moved B."""
    add_adapters(model, LORA, seed=seed)
    draw = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, one in adapter_weights(model).items():
            if "lora_B" in name:
                one.copy_(torch.randn(one.shape, generator=draw) * 0.1)
    return model


def saved(kind: str, folder: Path) -> PreferenceModel:
    """A preference model that learned beside the weights of that kind, and its adapter in `folder`."""
    folder.mkdir(exist_ok=True)
    model = PreferenceModel(learned(model_of(kind), 3), seed=4).eval()
    save_adapter(model.backbone, model.head.weight, folder)
    return model


@torch.no_grad()
def score(model: PreferenceModel) -> Tensor:
    with reading_by(model.backbone, model.adapter) if model.adapter else torch.no_grad():
        return model(IDS, MASK)


@torch.no_grad()
def logits(model: PreTrainedModel) -> Tensor:
    return model(IDS).logits


@pytest.mark.parametrize("kind", KINDS)
def test_policy_reference_and_preference_model_are_one_model(kind: str, tmp_path: Path) -> None:
    plain, alone, judge = model_of(kind), learned(model_of(kind), 7), saved(kind, tmp_path)
    policy = learned(model_of(kind), 7)
    beside = PreferenceModel.beside(policy, tmp_path)
    assert beside.backbone is body_of(policy)
    for _ in range(2):  # in any order, and again
        assert torch.equal(score(beside), score(judge))
        assert torch.equal(logits(policy), logits(alone))
        with without_adapters(policy):
            assert torch.equal(logits(policy), logits(plain))
    assert not torch.equal(logits(alone), logits(plain))


@pytest.mark.parametrize("kind", ["llama", "gpt2"])
def test_the_policys_adapters_alone_learn_and_alone_are_folded(kind: str, tmp_path: Path) -> None:
    saved(kind, tmp_path)
    policy, alone = learned(model_of(kind), 7), learned(model_of(kind), 7)
    beside = PreferenceModel.beside(policy, tmp_path)
    for _ in range(2):
        learns = {name for name, one in policy.named_parameters() if one.requires_grad}
        assert learns == {name for name, one in alone.named_parameters() if one.requires_grad}
        score(beside)
    for model in (policy, alone):
        fold(model)
    assert all(torch.equal(one, alone.state_dict()[name]) for name, one in policy.state_dict().items())
    assert policy.state_dict().keys() == alone.state_dict().keys()


@pytest.mark.parametrize("kind", ["llama", "gpt_neox", "gpt2", "opt"])
def test_peft_loads_the_folder_and_scores_alike(kind: str, tmp_path: Path) -> None:
    from peft import PeftModel

    judge = saved(kind, tmp_path / "adapter")
    save_model(model_of(kind), tiny_tokenizer(), tmp_path / "sl")
    whole = AutoModelForSequenceClassification.from_pretrained(tmp_path / "sl", num_labels=1, dtype=torch.float32)
    with torch.no_grad():
        found = PeftModel.from_pretrained(whole, tmp_path / "adapter").eval()(IDS).logits[:, 0]
    torch.testing.assert_close(found, score(judge), atol=1e-4, rtol=1e-4)


def test_equal_adapters_are_equal_bytes(tmp_path: Path) -> None:
    for name in ("one", "other"):
        saved("llama", tmp_path / name)
    for file in (WEIGHTS, CONFIG, BASE):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "other" / file).read_bytes()
    targets = json.loads((tmp_path / "one" / CONFIG).read_text())["target_modules"]
    assert targets == sorted(targets) and "layers.0.self_attn.q_proj" in targets


def test_an_adapter_for_other_weights_is_refused(tmp_path: Path) -> None:
    saved("llama", tmp_path)
    at, hint = f"{tmp_path / WEIGHTS}: an adapter for other weights:", "(give the model that it was trained beside)"
    for kind, what in (
        ("qwen3_moe", "model.layers.0.mlp.down_proj.lora_A.weight is (4, 32), needed: none"),
        ("gpt2", "model.layers.0.mlp.down_proj.lora_A.weight is (4, 32), needed: none"),
    ):
        with pytest.raises(ModelError) as raised:
            PreferenceModel.beside(model_of(kind), tmp_path)
        assert str(raised.value) == f"{at} {what} {hint}"


def test_an_adapter_for_other_weights_of_the_same_shapes_is_refused(tmp_path: Path) -> None:
    """Also if they were loaded in another type; adapters beside them do not matter."""
    saved("llama", tmp_path)
    assert knows_its_base(tmp_path)
    PreferenceModel.beside(learned(model_of("llama").to(torch.bfloat16), 7), tmp_path)
    other = model_of("llama")
    with torch.no_grad():
        other.get_submodule("model.layers.1.mlp.down_proj").weight.mul_(1.01)
    with pytest.raises(ModelError) as raised:
        PreferenceModel.beside(other, tmp_path)
    what = "an adapter for other weights, of the same shapes as these (give the model that it was trained beside)"
    assert str(raised.value) == f"{tmp_path / WEIGHTS}: {what}"
    assert fingerprint(body_of(other)) != fingerprint(body_of(model_of("llama")))


def test_an_adapter_of_an_earlier_version_loads_and_can_be_told(tmp_path: Path) -> None:
    saved("llama", tmp_path)
    (tmp_path / BASE).unlink()
    assert not knows_its_base(tmp_path)
    PreferenceModel.beside(model_of("llama"), tmp_path)


@pytest.mark.parametrize(
    ("head", "what"),
    [
        (None, "an adapter without score.weight, which scores (give an adapter that a run's preference stage wrote)"),
        (
            torch.zeros(1, 31),
            "score.weight is (1, 31), but the model's states have width 32, so needed: (1, 32) "
            "(give the model that it was trained beside)",
        ),
    ],
)
def test_an_adapter_without_a_head_that_fits_is_refused(head: Tensor | None, what: str, tmp_path: Path) -> None:
    saved("llama", tmp_path)
    tensors = load_file(tmp_path / WEIGHTS)
    del tensors["base_model.model.score.weight"]
    save_file(tensors | ({} if head is None else {"base_model.model.score.weight": head}), tmp_path / WEIGHTS)
    with pytest.raises(ModelError) as raised:
        PreferenceModel.beside(model_of("llama"), tmp_path)
    assert str(raised.value) == f"{tmp_path / WEIGHTS}: {what}"


def test_a_folder_without_an_adapter_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError) as raised:
        PreferenceModel.beside(model_of("llama"), tmp_path)
    assert str(raised.value) == f"{tmp_path}: no readable {WEIGHTS} and {CONFIG}"
    saved("llama", tmp_path)
    (tmp_path / CONFIG).write_text('{"r": 4}')
    with pytest.raises(ModelError, match=r"adapter_config\.json: lora_alpha"):
        PreferenceModel.beside(model_of("llama"), tmp_path)
    assert LEARNING != ADAPTER
