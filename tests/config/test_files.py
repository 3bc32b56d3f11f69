from __future__ import annotations

import tomllib
from pathlib import Path
from typing import get_args

import pytest

from config.run_files import LONG, SOUND, told, written
from solon.config.engines import ENGINES
from solon.config.feedback import JudgeSection
from solon.config.files import dump_toml, run_file_text, shipped_run_files
from solon.config.keys import known_keys
from solon.config.load import load_run_config
from solon.config.models import ModelRole, ModelSection, ModelsSection
from solon.config.monitor import MonitorSection
from solon.config.prompts import PromptsSection
from solon.config.rewards import RewardModelSection, RewardsSection
from solon.config.run import ClusterSection, RunConfig
from solon.config.sampling import SamplingOverrides, SamplingSection
from solon.config.training import LoraSection, RLSection
from solon.toml_text import leaves

DIGITS = "5" * 5000
REWARDS = RewardsSection(
    length=0.1, length_between=(0, 9), models={name: RewardModelSection(path="/a b/pm") for name in ("kind-1", "b")}
)


@pytest.mark.parametrize("name", shipped_run_files())
def test_every_shipped_run_file_loads(name: str) -> None:
    assert isinstance(load_run_config(name), RunConfig)


def test_a_run_file_extends_another(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    (tmp_path / "below/base.toml").write_text('extends = "world"\n[constitution]\npath = "./own.md"\n[rl]\nsteps = 7\n')
    path = written(tmp_path, 'extends = "below/base.toml"\nname = "mine"\n[rl]\nclip = 0.3\n')
    config = load_run_config(path)
    assert (config.name, config.rl.steps, config.rl.clip, config.rl.batch_size) == ("mine", 7, 0.3, 192)
    assert config.constitution.path == f"{tmp_path}/below/own.md"
    assert load_run_config(written(tmp_path, dump_toml(config))) == config
    (tmp_path / "below/base.toml").write_text('extends = "world"\n[rl]\nstep = 7\n')
    path = written(tmp_path, 'extends = "below/base.toml"\n')
    assert told(path) == [f'{tmp_path}/below/base.toml:3: unknown key "rl.step" (did you mean `steps`?)']


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('\nextends = "mine.toml"\n', "mine.toml:2: extends itself (name one other run file, or leave the key out)"),
        ("extends = 3\n", "mine.toml:1: extends is 3 (name one other run file, or leave the key out)"),
        ('extends = ""\n', 'mine.toml:1: extends is "" (name one other run file, or leave the key out)'),
        (
            '\n\nextends = "wrld"\n',
            'mine.toml:3: extends "wrld", which cannot be read: No such file or directory (did you mean `world`?)',
        ),
        (
            'extends = "~nobodyx/a"\n',
            'mine.toml:1: extends "~nobodyx/a", which cannot be read: Could not determine home directory.',
        ),
        ('extend = "world"\n', 'mine.toml:1: unknown key "extend" (did you mean `extends`?)'),
    ],
)
def test_what_a_run_file_cannot_extend(tmp_path: Path, text: str, fault: str) -> None:
    assert told(written(tmp_path, text))[0].replace(f"{tmp_path}/", "") == fault
    assert told("world", ["extends=world"])[0].endswith("(only a run file can extend another)")


def test_a_circle_of_run_files_is_found_however_they_spell_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "below").mkdir()
    (tmp_path / "below/base.toml").write_text('seed = 1\nextends = "../below/../mine.toml"\n')
    written(tmp_path, 'extends = "below/base.toml"\n')
    monkeypatch.chdir(tmp_path)
    fault = f"{tmp_path}/below/base.toml:2: extends itself (name one other run file, or leave the key out)"
    for name in ("mine.toml", "below/../mine.toml", tmp_path / "mine.toml"):
        assert [line.replace("below/../", "", 1) for line in told(name)] == [fault]


def test_run_files_of_impossible_names(tmp_path: Path) -> None:
    assert told(LONG)[0].startswith(f"{LONG[:100]}...: cannot read the run file: File name too long")
    for name, said in (("a\\u0000b", "embedded null byte"), (LONG, "File name too long")):
        (line,) = told(written(tmp_path, f'extends = "{name}"\n'))
        assert line.startswith(f'{tmp_path}/mine.toml:1: extends "') and f", which cannot be read: {said} (" in line
        assert len(line) < 500 and line.isprintable()


@pytest.mark.parametrize(
    "config",
    [
        load_run_config(),
        RunConfig(
            name='quotes " and \\ and é, \n\t\x00\x7f\u2028',
            models=ModelsSection(
                assistant=ModelSection(path="m"), base=ModelSection(path="/a b/c", system=""), trust_remote_code=True
            ),
            sampling=SamplingSection(reasoning=SamplingOverrides(temperature=0.5)),
            judge=JudgeSection(clamp=(0.1, 0.9)),
            prompts=PromptsSection(source="r", helpful="h", columns={"prompt": ('a"b', "c = {d}"), "system": ("e",)}),
            rl=RLSection(
                learning_rate=1e-7, clip=1e16, lora=LoraSection(rank=3), rewards=REWARDS, monitor=MonitorSection()
            ),
        ),
    ],
)
def test_a_dumped_run_file_loads_as_the_same(tmp_path: Path, config: RunConfig) -> None:
    text = dump_toml(config)
    assert load_run_config(written(tmp_path, text)) == config
    assert dump_toml(load_run_config(written(tmp_path, text))) == text
    without_value = {"constitution.few_shots", "prompts.helpful", "judge.clamp", "evaluation", "rl.value_learning_rate"}
    without_value |= {
        "constitution.whole_tokens",
        "rl.kl_target",
        *(f"rl.rewards.{key}" for key in ("judge_pairs", "length_between")),
    }
    without_value |= {f"rl.rewards.models.NAME.{key}" for key in RewardModelSection.model_fields}
    without_value |= {f"models.{role}.{key}" for role in get_args(ModelRole) for key in ("system", "dialogue")}
    without_value |= {"cluster", *(f"cluster.{key}" for key in ClusterSection.model_fields)}
    published = (
        "hhh",
        "harm_or_ethical",
        "harm_type",
        "bbq",
        "opinions",
        "refusals",
        "preachiness",
        "gsm8k",
        "perplexity",
    )
    without_value |= {f"evaluations.{name}.{key}" for name in published for key in ("data", "limit")}
    without_value |= {f"evaluations.{name}.max_new_tokens" for name in ("refusals", "preachiness", "gsm8k", "elo")}
    without_value |= {"evaluations.harmfulness", "evaluations.harmfulness.regressor"}
    stopping = [f"{section}.early_stopping" for section in ("sft", "preference", "dpo")]
    without_value |= {f"{each}{key}" for each in stopping for key in ("", ".holdout", ".every", ".patience")}
    without_value |= {"rl.monitor", *(f"rl.monitor.{key}" for key in MonitorSection.model_fields)}
    adapters = [f"{section}.lora" for section in ("sft", "preference", "rl", "dpo")]
    without_value |= {f"{each}{key}" for each in adapters for key in ("", ".rank", ".alpha")}
    overrides = ("sampling.answers", "sampling.revisions", "sampling.reasoning", "evaluation")
    without_value |= {f"{each}.{key}" for each in (*overrides, "pairs") for key in SamplingOverrides.model_fields}
    without_value |= {f"sampling.{key}" for key in ("temperature", "top_p", "top_k", "min_p")}
    if config == load_run_config():
        dumped = [key for key, _ in leaves(tomllib.loads(text))]
        held = {key.rpartition(".")[0] for key in dumped} | {"models", *overrides}
        of_engines = {key for key in known_keys() if set(key.split(".")) & set(ENGINES)}
        assert set(known_keys()) - of_engines - set(dumped) - held == without_value - set(overrides)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("seed = 1\n[rl\n", r":2: broken TOML: Expected ']' at the end of a table declaration"),
        ("seed = 1\nseed = 2\n", r":2: broken TOML: Cannot overwrite a value"),
        ("seed =\n", r":1: broken TOML: Invalid value"),
    ],
)
def test_broken_toml_names_the_line(tmp_path: Path, text: str, fault: str) -> None:
    path = written(tmp_path, text)
    assert told(path) == [f"{path}{fault}"]


def test_a_run_file_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    path = written(tmp_path, '\ufeffextends = "world"\nseed = 5\n')
    assert load_run_config(path).seed == 5 and run_file_text(path).startswith("extends")


def test_a_run_file_that_is_not_there(tmp_path: Path) -> None:
    assert told(tmp_path / "no.toml")[0].startswith(f"{tmp_path}/no.toml: cannot read the run file: No such file")
    assert told("wrld") == ["wrld: cannot read the run file: No such file or directory (did you mean `world`?)"]
    assert "one of the shipped: " in told("zzz")[0] and "world" in told("zzz")[0]
    (tmp_path / "latin.toml").write_bytes(b'name = "\xe9"\n')
    assert told(tmp_path / "latin.toml") == [f"{tmp_path}/latin.toml: not UTF-8 text"]


@pytest.mark.parametrize("depth", [250, 3000])
def test_what_is_nested_too_deep(tmp_path: Path, depth: int) -> None:
    deep = "[" * depth + "]" * depth
    dotted = ".".join("a" * depth)
    for text in (f"x = {deep}\n", f"name = {deep}\n", f"[{dotted}]\nb = 1\n", f"{dotted} = 1\n"):
        (line,) = told(written(tmp_path, text), flags=SOUND)
        assert line.startswith(f"{tmp_path}/mine.toml:") and len(line) < 500
    for text in (f"x={deep}", f"seed={deep}", f"{dotted}=1"):
        (line,) = told(None, [text])
        assert line.startswith("--set ") and len(line) < 500


def test_numbers_of_too_many_digits(tmp_path: Path) -> None:
    path = written(tmp_path, f"seed = {DIGITS}\n")
    assert told(path)[0].startswith(f"{path}: broken TOML: Exceeds the limit (4300 digits)")
    for number in (DIGITS, DIGITS[:4000], f"0x{DIGITS}"):
        (line,) = told(None, [f"seed={number}"])
        assert line.startswith("--set seed=") and len(line) < 500
