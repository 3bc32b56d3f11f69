"""Models on the Hugging Face Hub: what is fetched, from which commit, and what is said when it cannot be had."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event, Timer

import huggingface_hub.constants
import pytest
import torch

from hub_server import Hub, folder_files, hub_server
from solon.errors import ModelError
from solon.models import hub as hub_module
from solon.models.hub import HubModel, download, look_up
from solon.models.load import load_model
from solon.models.where import bring_model, hub_model, model_folder
from tiny_models import tiny_model_folder

NONE = "0" * 40


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What the repository of a tiny model holds, and what nobody should fetch."""
    unwanted = {"pytorch_model.bin": b"pickle", "tool.py": b"import os", "README.md": b"# card"}
    below = {"onnx/config.json": b"{}", "original/consolidated.safetensors": b"twice", ".gitattributes": b""}
    return folder_files(tiny_model_folder(tmp_path_factory.mktemp("tiny"))) | unwanted | below


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    monkeypatch.chdir(tmp_path)
    with hub_server(tmp_path / "cache") as server:
        yield server


def refusal(name: str, bring: Callable[[str], Path] = bring_model) -> str:
    with pytest.raises(ModelError) as raised:
        bring(name)
    (fault,) = raised.value.faults
    return str(fault)


@pytest.mark.parametrize("name", ["org/tiny", "hf:org/tiny", "org/tiny@main", "org/tiny@v1"])
def test_a_model_comes_with_what_a_run_reads_and_nothing_else(hub: Hub, files: dict[str, bytes], name: str) -> None:
    commit = hub.push("org/tiny", files, "main", "v1")
    folder = bring_model(name)
    assert folder.name == commit
    assert sorted(path.name for path in folder.rglob("*")) == [
        *("config.json", "generation_config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json")
    ]
    assert load_model(folder, dtype=torch.float32, device="cpu").model.num_parameters() > 0
    hub.asked.clear()
    assert model_folder(f"hf:org/tiny#{commit}") == model_folder(name) == folder
    assert hub.asked == []


def test_a_revision_is_a_branch_a_tag_or_a_commit(hub: Hub, files: dict[str, bytes]) -> None:
    old = hub.push("org/tiny", files, "v1")
    new = hub.push("org/tiny", files | {"config.json": files["config.json"] + b"\n"}, "main")
    found = {name: bring_model(f"org/tiny{name}").name for name in ("", "@v1", "@main", f"@{old}", f"@{new}")}
    assert found == {"": new, "@v1": old, "@main": new, f"@{old}": old, f"@{new}": new}


def test_code_comes_only_where_it_may_run(hub: Hub, files: dict[str, bytes]) -> None:
    hub.push("org/tiny", files)
    assert not list(bring_model("org/tiny").glob("*.py"))
    assert [path.name for path in bring_model("org/tiny", code=True).glob("*.py")] == ["tool.py"]


def test_weights_in_several_files_come_as_their_index_names_them(
    hub: Hub, files: dict[str, bytes], tmp_path: Path
) -> None:
    whole = tmp_path / "whole"
    whole.mkdir()
    (whole / "model.safetensors").write_bytes(files["model.safetensors"])
    for name in ("config.json", "tokenizer.json", "tokenizer_config.json"):
        (whole / name).write_bytes(files[name])
    loaded = load_model(whole, dtype=torch.float32, device="cpu")
    loaded.model.save_pretrained(tmp_path / "shards", max_shard_size="60KB")
    loaded.tokenizer.save_pretrained(tmp_path / "shards")
    hub.push("org/shards", folder_files(tmp_path / "shards", **{"consolidated.safetensors": b"twice"}))
    folder = bring_model("org/shards")
    assert len(list(folder.glob("model-*.safetensors"))) > 1
    assert not (folder / "consolidated.safetensors").exists()
    assert load_model(folder, dtype=torch.float32, device="cpu").model.num_parameters() == loaded.model.num_parameters()


def test_a_folder_of_that_name_comes_first(hub: Hub, files: dict[str, bytes], tmp_path: Path) -> None:
    hub.push("org/tiny", files)
    (tmp_path / "org/tiny").mkdir(parents=True)
    assert hub_model("org/tiny") is None
    assert bring_model("org/tiny") == Path("org/tiny")
    assert bring_model("hf:org/tiny").is_absolute()


@pytest.mark.parametrize(
    "name", ["embedded", "gpt2", "./org/tiny", "/org/tiny", "../org/tiny", "org/a/b", "org/tiny.gguf", "~/tiny", ""]
)
def test_what_is_no_name_on_the_hub_is_a_path(name: str) -> None:
    assert hub_model(name) is None


def test_a_name_reads_back_as_it_is_written() -> None:
    for model in (
        HubModel(repo="a/b"),
        HubModel(repo="a/b", revision="v1", commit=NONE),
        HubModel(repo="a/b", commit=NONE),
    ):
        assert HubModel.of(str(model)) == model
    assert str(HubModel(repo="a/b", revision=NONE, commit=NONE)) == f"hf:a/b@{NONE}"


GATE = "is behind a gate on the Hugging Face Hub (ask for access at {url}/org/gated, then `hf auth login`)"
CONVERT = (
    "weights only as pickles (pytorch_model.bin) (a pickle can run any code when opened; convert it where you trust "
    "it: AutoModelForCausalLM.from_pretrained(old).save_pretrained(new))"
)
REVISION = "the model has no such revision (give one of its branches, tags or commits)"
LOGIN = "check the name; a private model needs `hf auth login`"


def test_each_refusal_is_one_line(hub: Hub, files: dict[str, bytes], tmp_path: Path) -> None:
    hub.push("org/tiny", files)
    hub.push("org/gated", files)
    hub.gated.add("org/gated")
    hub.push("org/pickles", {name: data for name, data in files.items() if "safetensors" not in name})
    hub.push("org/gguf", {"tiny.Q4_1.gguf": b"GGUF"})
    (tmp_path / "org/there").mkdir(parents=True)
    assert {
        name: refusal(name) for name in ("org/none", "hf:org/there", "hf:none", "org/tiny@v9", f"org/tiny@{NONE}")
    } == {
        "org/none": f"org/none: no such model on the Hugging Face Hub, and no such folder here ({LOGIN})",
        "hf:org/there": f"org/there: no such model on the Hugging Face Hub ({LOGIN})",
        "hf:none": "hf:none: not the name of a model on the Hugging Face Hub (hf:OWNER/NAME, with @REVISION behind it "
        "if you want another than the newest)",
        "org/tiny@v9": f"org/tiny@v9: {REVISION}",
        f"org/tiny@{NONE}": f"org/tiny@{NONE}: {REVISION}",
    }
    assert refusal("org/gated") == f"org/gated: {GATE.format(url=hub.url)}"
    assert refusal("org/pickles") == f"org/pickles: {CONVERT}"
    assert (
        refusal("org/gguf")
        == "org/gguf: GGUF weights cannot be trained (import them: solon models import FILE.gguf -o DIR)"
    )
    assert {"pytorch_model.bin", "model.safetensors", "tiny.Q4_1.gguf"}.isdisjoint(hub.fetched())


def test_weights_are_not_fetched_of_a_model_that_no_run_can_use(hub: Hub, files: dict[str, bytes]) -> None:
    hub.push("org/awq", files | {"config.json": b'{"quantization_config": {"quant_method": "awq"}}'})
    assert "the weights are quantized (awq)" in refusal("org/awq")
    assert "model.safetensors" not in hub.fetched()


def test_a_token_is_used_and_never_told(
    hub: Hub, files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    commit = hub.push("org/tiny", files)
    hub.token = "hf_good"
    monkeypatch.setenv("HF_TOKEN", "hf_wrong")
    said = refusal("org/tiny")
    assert said == (
        "org/tiny: the Hugging Face Hub refuses your token (log in again with `hf auth login`, or correct HF_TOKEN)"
    )
    monkeypatch.setenv("HF_TOKEN", "hf_good")
    notes: list[str] = []
    assert bring_model("org/tiny", tell=notes.append).name == commit
    assert notes == [f"org/tiny is commit {commit} on the Hugging Face Hub"]
    assert "hf_" not in "".join(capfd.readouterr()).replace("hf_hub", "")


def test_without_the_hub_the_cache_serves(hub: Hub, files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    commit = hub.push("org/tiny", files)
    folder, notes = bring_model("org/tiny"), []
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    assert bring_model("org/tiny", tell=notes.append) == folder
    assert notes == [f"org/tiny is commit {commit} as it was downloaded before: HF_HUB_OFFLINE is set"]
    assert refusal("org/more") == (
        "org/more: not a folder here, not downloaded before, and HF_HUB_OFFLINE is set (connect, or give a folder on "
        "this machine)"
    )
    cache = huggingface_hub.constants.HF_HUB_CACHE
    assert refusal(f"org/tiny#{NONE}") == (
        f"org/tiny: commit {NONE} is not whole in {cache}, and HF_HUB_OFFLINE is set (connect, and give the command "
        "again: files that are whole are kept)"
    )
    assert refusal("org/more", model_folder) == (
        f"org/more: not in {cache} (connect, and give the command again: it is downloaded)"
    )


def test_no_network_and_a_hub_that_is_down_are_told_apart(
    hub: Hub, files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = hub.push("org/tiny", files)
    bring_model("org/tiny")
    told = "not a folder here, not downloaded before, and 127.0.0.1 {} (connect, or give a folder on this machine)"
    hub.status = 503
    assert bring_model("org/tiny").name == commit
    assert refusal("org/more") == f"org/more: {told.format('answers with status 503')}"
    hub.status = 200
    assert refusal("org/more") == (
        "org/more: 127.0.0.1 does not answer as the Hugging Face Hub does (check HF_ENDPOINT)"
    )
    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", "http://me:secret@127.0.0.1:9")
    assert refusal("org/more") == f"org/more: {told.format('cannot be reached')}"


def test_a_download_that_was_cut_off_goes_on(
    hub: Hub, files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = hub.push("org/tiny", files)
    model = look_up(HubModel(repo="org/tiny"))
    with monkeypatch.context() as patch:
        patch.setattr(hub_module, "indexed_weights", _killed)
        with pytest.raises(KeyboardInterrupt):
            download(model)
    hub.asked.clear()
    assert download(model).name == commit
    assert hub.fetched() == ["model.safetensors"]


def test_an_interrupt_does_not_wait_for_a_transfer(hub: Hub, files: dict[str, bytes]) -> None:
    hub.push("org/tiny", files)
    hub.stalled, model = Event(), look_up(HubModel(repo="org/tiny"))
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it
    timer = Timer(0.5, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            download(model)
    finally:
        hub.stalled.set()
        timer.join()
        signal.signal(signal.SIGINT, before)


def _killed(folder: Path) -> list[str]:
    raise KeyboardInterrupt


def test_a_cache_that_cannot_be_written_is_told(
    hub: Hub, files: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.push("org/tiny", files)
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "file"))
    assert refusal("org/tiny").startswith(f"org/tiny: cannot be kept in {tmp_path}/file: Not a directory (make room")
