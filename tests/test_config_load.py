from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from solon.config import JudgeSection, ModelsSection, PromptsSection, RLSection, RunConfig
from solon.config_load import dump_toml, known_keys, load_run_config, shipped_run_files
from solon.config_rules import contradictions
from solon.constitution.few_shots import FILE_NAME
from solon.errors import ConfigError


def told(*arguments: object, **more: object) -> list[str]:
    """The faults of a run file that cannot be used, one per line."""
    with pytest.raises(ConfigError) as caught:
        load_run_config(*arguments, **more)  # type: ignore[arg-type]
    return str(caught.value).split("\n")


def written(folder: Path, text: str) -> Path:
    path = folder / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("name", shipped_run_files())
def test_every_shipped_run_file_loads(name: str) -> None:
    assert isinstance(load_run_config(name), RunConfig)


def test_the_shipped_world_is_the_default() -> None:
    assert "world" in shipped_run_files()
    assert load_run_config("world") == load_run_config() == RunConfig()


def test_file_then_flags_then_set(tmp_path: Path) -> None:
    path = written(tmp_path, 'name = "file"\n[rl]\nsteps = 1\nclip = 1\n[judge]\nclamp = [0.4, 0.6]\n')
    config = load_run_config(
        path,
        [
            "rl.steps=3",
            "pairs.temperature=0.5",
            'name=say "hi"',
            "constitution.critique=['a', 'b']",
            "seed=5",
            "seed = 6",
        ],
        {"name": "flag", "rl.steps": 2, "models.device": "cpu", "models.base": None},
    )
    assert (config.name, config.rl.steps, config.seed) == ('say "hi"', 3, 6)
    assert (config.rl.clip, config.pairs.temperature, config.models.device) == (1.0, 0.5, "cpu")
    assert (config.judge.clamp, config.constitution.critique) == ((0.4, 0.6), ("a", "b"))


@pytest.mark.parametrize(
    ("text", "name"),
    [("007", "007"), ('"5"', "5"), ("a b = c", "a b = c"), ("", ""), ("'x'", "x"), ("1\nseed = 3", "1\nseed = 3")],
)
def test_set_values_are_toml_else_plain_text(text: str, name: str) -> None:
    config = load_run_config(None, [f"name={text}"])
    assert (config.name, config.seed) == (name, 0)


def test_every_fault_of_a_file_is_told_at_once_with_its_line(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        '''sed = 3
name = """
[rl]
step = 7
"""
[rl]
step = 3
clip = -1.0   # too small
"quoted" = 1
algorithm = "grp"
batch_size = "x"
samples_per_prompt = 1
learning_rate = nan
warmup_steps = 1.5
[judge]
clamp = [0.9, 0.1]
max_unscored = 7
[reinforcement]
steps = 1
[sft]
critique = true
[models]
trust_remote_code = "yes"
dtype = "float16"
[pairs]
temperature = 0.0
[constitution]
critique = "a"
''',
    )
    sections = "models, constitution, prompts, sampling, supervised, sft, pairs, judge, helpfulness, preference, rl"
    assert told(path) == [
        f'{path}:1: unknown key "sed" (did you mean `seed`?)',
        f'{path}:7: unknown key "rl.step" (did you mean `steps`?)',
        f"{path}:8: rl.clip is -1.0; expected greater than 0",
        f'{path}:9: unknown key "rl.quoted" (known here: {", ".join(RLSection.model_fields)})',
        f'{path}:10: rl.algorithm is "grp"; expected "grpo" or "ppo" (did you mean `grpo`?)',
        f'{path}:11: rl.batch_size is "x"; expected a whole number',
        f"{path}:13: rl.learning_rate is NaN; expected a finite number",
        f"{path}:14: rl.warmup_steps is 1.5; expected a whole number",
        f"{path}:16: judge.clamp is [0.9, 0.1]; expected 0 <= low < high <= 1 (CAI section 4.1 uses [0.4, 0.6])",
        f"{path}:17: judge.max_unscored is 7; expected less than or equal to 1",
        f'{path}:18: unknown key "reinforcement" (known here: name, seed, {sections})',
        f'{path}:21: unknown key "sft.critique" (did you mean `constitution.critique` or `supervised.critique`?)',
        f'{path}:23: models.trust_remote_code is "yes"; expected true or false',
        f'{path}:24: models.dtype is "float16"; expected "auto", "float32" or "bfloat16" (did you mean `bfloat16`?)',
        f"{path}:26: pairs.temperature is 0.0; expected greater than 0",
        f'{path}:28: constitution.critique is "a"; expected a list',
    ]


def test_faults_of_the_command_line() -> None:
    assert told(
        None,
        ["rl.steps", "=3", "rl.stepz=1", "name=5", "name.x=1", "rl=3", "judge.clamp=[0.4]", "judge.clamp.x=1"],
        flags={"models.assistent": "x"},
    ) == [
        "--set rl.steps: expected key=value (e.g. --set rl.steps=10)",
        "--set =3: expected key=value (e.g. --set rl.steps=10)",
        '--set name.x=1: unknown key "name.x": name is not a section',
        '--set judge.clamp.x=1: unknown key "judge.clamp.x": judge.clamp is not a section',
        "--set name=5: name is 5; expected text in quotes (quote it: --set 'name=\"5\"')",
        'command line: unknown key "models.assistent" (did you mean `assistant`?)',
        "--set judge.clamp=[0.4]: judge.clamp is [0.4]; expected two numbers",
        "--set rl=3: rl is 3; expected a section",
    ]


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


def test_a_run_file_that_is_not_there(tmp_path: Path) -> None:
    assert told(tmp_path / "no.toml")[0].startswith(f"{tmp_path}/no.toml: cannot read the run file: No such file")
    assert told("wrld") == ["wrld: cannot read the run file: No such file or directory (did you mean `world`?)"]
    assert "one of the shipped: " in told("zzz")[0] and "world" in told("zzz")[0]
    (tmp_path / "latin.toml").write_bytes(b'name = "\xe9"\n')
    assert told(tmp_path / "latin.toml") == [f"{tmp_path}/latin.toml: not UTF-8 text"]


@pytest.mark.parametrize(
    ("overrides", "fault"),
    [
        (
            ["sampling.temperature=0", "sft.helpful_per_prompt=2"],
            "sft.helpful_per_prompt is 2, but at sampling.temperature 0 all are equal "
            "(set sampling.temperature above 0, or sft.helpful_per_prompt to 1)",
        ),
        (
            ["rl.samples_per_prompt=1", "rl.batch_size=16"],
            "rl.samples_per_prompt is 1, but grpo compares the samples of one prompt "
            '(set it to 2 or more, or rl.algorithm to "ppo")',
        ),
        (
            ["rl.prompts_per_step=4"],
            "rl.batch_size is 192, but a step makes 32 rollouts (set rl.batch_size to 32 or less)",
        ),
        (
            ["rl.gae_lambda=0.5"],
            'rl.gae_lambda is set, but grpo has no value function (remove it, or set rl.algorithm to "ppo")',
        ),
        (
            ["judge.clamp=[0.4, 0.4]"],
            "judge.clamp is [0.4, 0.4]; expected 0 <= low < high <= 1 (CAI section 4.1 uses [0.4, 0.6])",
        ),
        (
            ["judge.clamp=[0.3, 0.6]"],
            "judge.clamp is [0.3, 0.6], which is not symmetric around 0.5 (e.g. [0.3, 0.7])",
        ),
        (
            ["rl.micro_batch_tokens=50"],
            "rl.micro_batch_tokens is 50, less than one answer of sampling.max_new_tokens = 96 (set it to 96 or more)",
        ),
    ],
)
def test_contradictions(overrides: list[str], fault: str) -> None:
    (line,) = told(None, overrides)
    place, _, what = line.partition(": ")
    assert what == fault
    assert place in [f"--set {text}" for text in overrides]


def test_what_is_no_contradiction() -> None:
    assert contradictions(RunConfig()) == []
    load_run_config(None, ["rl.algorithm=ppo", "rl.samples_per_prompt=1", "rl.batch_size=16", "rl.gae_lambda=0.5"])
    load_run_config(None, ["judge.method=cot", "judge.clamp=[0.4, 0.6]"])
    load_run_config(None, ["sampling.temperature=0", "sft.helpful_per_prompt=1"])


def test_a_contradiction_is_told_beside_other_faults_but_not_about_a_faulty_key() -> None:
    assert told(None, ["rl.prompts_per_step=4", "seed=-1"]) == [
        "--set seed=-1: seed is -1; expected greater than or equal to 0",
        "--set rl.prompts_per_step=4: rl.batch_size is 192, but a step makes 32 rollouts "
        "(set rl.batch_size to 32 or less)",
    ]
    assert len(told(None, ["rl.prompts_per_step=4", "rl.batch_size=-1"])) == 1


@pytest.mark.parametrize(
    "config",
    [
        RunConfig(),
        RunConfig(
            name='quotes " and \\ and é, \n\t\x00\x7f\u2028',
            models=ModelsSection(base="/a b/c", trust_remote_code=True),
            judge=JudgeSection(clamp=(0.1, 0.9)),
            prompts=PromptsSection(source="r", helpful="h", columns={"prompt": ('a"b', "c = {d}"), "system": ("e",)}),
            rl=RLSection(learning_rate=1e-7, clip=1e16),
        ),
    ],
)
def test_a_dumped_run_file_loads_as_the_same(tmp_path: Path, config: RunConfig) -> None:
    text = dump_toml(config)
    assert load_run_config(written(tmp_path, text)) == config
    assert dump_toml(load_run_config(written(tmp_path, text))) == text
    without_value = {"models.base", "models.judge", "constitution.few_shots", "prompts.helpful", "judge.clamp"}
    without_value |= {f"models.{role}_system" for role in ("assistant", "base", "judge")}
    if config == RunConfig():
        data = tomllib.loads(text)
        dumped = {f"{name}.{key}" for name, item in data.items() if isinstance(item, dict) for key in item}
        assert {key for key in known_keys() if "." in key} - dumped == without_value


def test_paths_are_those_of_the_run_files_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home, elsewhere = tmp_path / "home", tmp_path / "elsewhere"
    for folder in (home / "model", home / "world", elsewhere / "flag"):
        folder.mkdir(parents=True)
    for name in ("mine.md", "red.jsonl", "plain"):
        (home / name).write_text("")
    monkeypatch.chdir(elsewhere)
    path = written(
        home,
        '[models]\nassistant = "model"\nbase = "absent/model"\n'
        '[constitution]\npath = "mine.md"\n[prompts]\nsource = "red.jsonl"\nhelpful = "./none.jsonl"\n',
    )
    config = load_run_config(path, ["models.judge=flag"])
    assert (config.models.assistant, config.models.base) == (str(home / "model"), "absent/model")
    assert config.models.judge == str(elsewhere / "flag")
    assert (config.constitution.path, config.prompts.source) == (str(home / "mine.md"), str(home / "red.jsonl"))
    hub = load_run_config(path, ["prompts.source=hf:flag#test", "prompts.helpful=hf:some/set@main"]).prompts
    assert (hub.source, hub.helpful) == ("hf:flag#test", "hf:some/set@main")
    assert load_run_config(path, ["prompts.source=hf:./flag#test"]).prompts.source == f"hf:{elsewhere}/flag#test"
    assert config.prompts.helpful == str(home / "none.jsonl")  # only a path begins like this, so it is named in full


def test_a_constitution_folder_brings_its_few_shot_examples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("cai", "world", "bare"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "constitution.toml").touch()
    for name in ("cai", "world"):
        (tmp_path / name / FILE_NAME).touch()
    monkeypatch.chdir(tmp_path)

    def few_shots(*overrides: str) -> str | None:
        return load_run_config(None, overrides).constitution.few_shots

    own = str(tmp_path / "cai")
    assert few_shots("constitution.path=cai") == own  # a bare name that is not a shipped one is a path
    assert few_shots("constitution.path=bare") is None
    assert few_shots("constitution.path=world") is None
    assert few_shots("constitution.path=./world") == str(tmp_path / "world")
    assert few_shots("constitution.path=cai", "constitution.few_shots=world") == str(tmp_path / "world")
    assert few_shots("constitution.path=cai", 'constitution.few_shots=""') == ""
    config = load_run_config(None, ["constitution.path=cai"])
    assert load_run_config(written(tmp_path, dump_toml(config))) == config


@pytest.mark.parametrize(
    ("settings", "fault"),
    [
        (["prompts.source=r.jsonl"], "prompts of your own need helpfulness data beside them"),
        (["prompts.source=r.jsonl", "prompts.benign=0"], None),
        (["prompts.source=r.jsonl", "prompts.helpful=h.jsonl"], None),
        (["prompts.helpful=h.jsonl"], "prompts.helpful is set, but the world makes its own"),
    ],
)
def test_helpfulness_data_goes_with_prompts_of_ones_own(settings: list[str], fault: str | None) -> None:
    if fault is None:
        load_run_config(None, settings)
    else:
        assert fault in told(None, settings)[0]


def test_names_are_no_paths_even_where_a_file_has_that_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("world", "embedded", "harmlessness"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path)
    config = load_run_config(None, ["constitution.path=harmlessness"], {"prompts.source": "world"})
    assert (config.models.assistant, config.prompts.source) == ("embedded", "world")
    assert config.constitution.path == "harmlessness"


HALF = "r\udcff.jsonl"
"""A file name that is not UTF-8, as Python hands it on."""
LONG = "p" * 5000
DIGITS = "5" * 5000


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("prompts.source", HALF, '"r\\udcff.jsonl", which cannot be used: it is not UTF-8 text'),
        ("models.assistant", "~nobodyx/y", '"~nobodyx/y", which cannot be used: Could not determine home directory.'),
        ("models.assistant", LONG, f'"{LONG[:99]}..., which cannot be used: File name too long'),
        ("constitution.path", "./a\0b", '"./a\\u0000b", which cannot be used: no path holds a zero character'),
    ],
)
def test_values_that_can_be_no_path(key: str, value: str, said: str) -> None:
    for lines in (told(None, [f"{key}={value}"]), told(None, flags={key: Path(value)})):
        (line,) = lines
        assert f": {key} is {said}".replace("./", "") in line.replace("./", "")
        line.encode()


@pytest.mark.parametrize("depth", [250, 3000])
def test_what_is_nested_too_deep(tmp_path: Path, depth: int) -> None:
    deep = "[" * depth + "]" * depth
    dotted = ".".join("a" * depth)
    for text in (f"x = {deep}\n", f"name = {deep}\n", f"[{dotted}]\nb = 1\n", f"{dotted} = 1\n"):
        (line,) = told(written(tmp_path, text))
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
