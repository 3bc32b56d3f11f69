from __future__ import annotations

import tomllib
from pathlib import Path
from typing import get_args

import pytest

from solon.config import (
    ENGINES,
    ClusterSection,
    ConstitutionSection,
    JudgeSection,
    ModelRole,
    ModelSection,
    ModelsSection,
    PromptsSection,
    RunConfig,
    SamplingOverrides,
    SamplingSection,
)
from solon.config_load import dump_toml, known_keys, load_run_config, run_file_text, shipped_run_files
from solon.config_rules import RENAMED, contradictions
from solon.config_training import ALGORITHMS, RLSection
from solon.constitution.few_shots import FILE_NAME
from solon.errors import ConfigError
from solon.toml_text import leaves

SOUND = {"models.assistant": "m", "prompts.source": "world"}
"""What every run file must say, as flags."""


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


def test_the_world_is_run_unless_prompts_are_given() -> None:
    world = load_run_config("world")
    assert load_run_config() == world == load_run_config(None, [], {"prompts.source": None})
    assert (world.name, world.models.assistant.path, world.rl.learning_rate) == ("world", "embedded", 2e-4)
    own = ["models.assistant=m", "prompts.source=red.jsonl", "prompts.benign=0"]
    rl = RLSection()
    assert load_run_config(None, own).rl == rl and rl.learning_rate == 1e-6
    assert load_run_config(None, own[:1] + own[2:], {"prompts.source": "red.jsonl"}).rl == rl


def test_a_model_and_prompts_are_required(tmp_path: Path) -> None:
    path = written(tmp_path, "seed = 1\n")
    assert told(path) == [
        f"{path}: models.assistant is missing (give a folder, or OWNER/NAME on the Hugging Face Hub: --model MODEL)",
        f"{path}: prompts.source is missing (give red-team prompts (--prompts FILE), or begin the run file with "
        'extends = "world")',
    ]
    assert len(told(path, ["models.judge=m", "prompts.harmful=3"])) == 2


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


def test_a_role_has_a_model_an_engine_and_a_way_to_be_written_to(tmp_path: Path) -> None:
    text = """extends = "world"
[models]
system = "Be brief."
dialogue = "chat-template"
base = "./base"
[models.assistant]
path = "./big"
dialogue = "human-assistant"
[models.judge]
system = ""
"""
    models = load_run_config(written(tmp_path, text)).models
    assistant, base, judge = (models.role(role) for role in get_args(ModelRole))
    big, small = str(tmp_path / "big"), str(tmp_path / "base")
    assert assistant == ModelSection(path=big, engine="local", dialogue="human-assistant", system="Be brief.")
    assert base == ModelSection(path=small, engine="local", dialogue="chat-template", system="Be brief.")
    assert judge == ModelSection(path=big, engine="local", dialogue="human-assistant", system="")
    again = load_run_config(written(tmp_path, text), ["models.judge=other", "models.base={path='b', system='x'}"])
    assert again.models.judge == ModelSection(path="other", system="")
    assert again.models.base == ModelSection(path="b", system="x")


def test_an_engine_belongs_to_a_model(tmp_path: Path) -> None:
    (line,) = told(None, ["models.assistant.engine=locla"])
    assert line.startswith('--set models.assistant.engine=locla: models.assistant.engine is "locla"; expected "')
    assert all(f'"{name}"' in line for name in ENGINES) and line.endswith("(did you mean `local`?)")
    for name in ENGINES:  # also the one that a model is run by unless another is named
        (line,) = told("world", [f"models.judge.engine={name}", "models.assistant.engine=faulty"])
        assert "models.judge.engine is set, but the assistant's model plays this role (set models.judge.path" in line
    config = load_run_config("world", ["models.assistant.engine=faulty"])
    assert load_run_config(written(tmp_path, dump_toml(config))) == config
    models = config.models.model_copy(update={"judge": ModelSection.model_construct(engine="remote", path="")})
    (found,) = contradictions(config.model_copy(update={"models": models}))
    what = "models.judge.engine is set, but the assistant's model plays this role"
    assert (found.keys[0], found.what) == ("models.judge.engine", what)


def test_settings_of_vllm_belong_to_its_engine() -> None:
    (line,) = told("world", ["models.assistant.vllm.max_model_len=99"])
    what = "models.assistant.vllm is set, but models.assistant.engine is not"
    assert line.endswith(f'{what} (set it to "vllm", or remove the section)')
    config = load_run_config("world", ["models.assistant.engine=vllm", "models.assistant.vllm.max_model_len=99"])
    assert all(
        config.models.role(role).engine_settings() == {"vllm": {"max_model_len": 99}} for role in get_args(ModelRole)
    )
    plain = load_run_config("world", ["models.assistant.engine=vllm", "models.assistant.vllm.enforce_eager=true"])
    assert plain.models.role("judge").engine_settings() == {"vllm": {"max_model_len": None}}
    assert load_run_config("world").models.assistant.engine_settings() == {}


def test_old_keys_are_told_their_new_names(tmp_path: Path) -> None:
    path = written(tmp_path, 'extends = "world"\n[models]\njudge_system = "Be fair."\n')
    assert told(path) == [f'{path}:3: unknown key "models.judge_system" (it is now `models.judge.system`)']
    assert set(RENAMED.values()) <= set(known_keys()) and not set(RENAMED) & set(known_keys())


def test_rl_draws_from_all_that_its_log_probabilities_are_of(tmp_path: Path) -> None:
    path = written(tmp_path, 'extends = "world"\n[rl]\ntop_p = 0.9\n')
    assert told(path) == [
        f'{path}:3: unknown key "rl.top_p" (RL compares log-probabilities under softmax(logits / rl.temperature), so '
        "it draws from all of that)"
    ]


def test_some_texts_are_sampled_in_ways_of_their_own() -> None:
    overrides = ["sampling.revisions.temperature=0", "sampling.reasoning.max_new_tokens=300", "pairs.max_new_tokens=80"]
    config = load_run_config(None, [*overrides, "evaluation.max_new_tokens=9000"])  # more than a batch in training
    assert config.token_limits() == {
        "sampling.max_new_tokens": 96,
        "sampling.reasoning.max_new_tokens": 300,
        "pairs.max_new_tokens": 80,
        "evaluation.max_new_tokens": 9000,
    }


def test_paths_and_devices_are_no_settings_of_a_result() -> None:
    """Also where a path may be left out; and sections inside a section have settings of their own."""
    assert set(ModelSection().result_settings()) == {"engine", "dialogue", "system"}
    assert set(ConstitutionSection().result_settings()) == {"critique", "comparison"}
    assert set(SamplingSection().result_settings()) == set(SamplingOverrides.model_fields)
    assert {"source", "helpful", "max_faults"}.isdisjoint(PromptsSection().result_settings())


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
        {"name": "flag", "rl.steps": 2, "models.device": "cpu", "models.base": None, **SOUND},
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
[sampling]
top_p = 1.5
revisions.min_p = -0.1
[constitution]
critique = "a"
''',
    )
    sections = (
        "models, constitution, prompts, sampling, supervised, quality, sft, pairs, judge, helpfulness, preference, rl"
    )
    *others, last = (f'"{name}"' for name in ALGORITHMS)
    assert told(path, flags=SOUND) == [
        f'{path}:1: unknown key "sed" (did you mean `seed`?)',
        f'{path}:7: unknown key "rl.step" (did you mean `steps`?)',
        f"{path}:8: rl.clip is -1.0; expected greater than 0",
        f'{path}:9: unknown key "rl.quoted" (known here: {", ".join(RLSection.model_fields)})',
        f'{path}:10: rl.algorithm is "grp"; expected {", ".join(others)} or {last} (did you mean `grpo`?)',
        f'{path}:11: rl.batch_size is "x"; expected a whole number',
        f"{path}:13: rl.learning_rate is NaN; expected a finite number",
        f"{path}:14: rl.warmup_steps is 1.5; expected a whole number",
        f"{path}:16: judge.clamp is [0.9, 0.1]; expected 0 <= low < high <= 1 (CAI section 4.1 uses [0.4, 0.6])",
        f"{path}:17: judge.max_unscored is 7; expected less than or equal to 1",
        f'{path}:18: unknown key "reinforcement" (known here: extends, name, seed, {sections}, evaluation, cluster)',
        f'{path}:21: unknown key "sft.critique" (did you mean `constitution.critique` or `supervised.critique`?)',
        f'{path}:23: models.trust_remote_code is "yes"; expected true or false',
        f'{path}:24: models.dtype is "float16"; expected "auto", "float32" or "bfloat16" (did you mean `bfloat16`?)',
        f"{path}:26: pairs.temperature is 0.0; expected greater than 0",
        f"{path}:28: sampling.top_p is 1.5; expected less than or equal to 1",
        f"{path}:29: sampling.revisions.min_p is -0.1; expected greater than or equal to 0",
        f'{path}:31: constitution.critique is "a"; expected a list',
    ]


def test_an_unknown_section_of_the_command_line_is_placed_there_and_told_what_may_stand_there() -> None:
    known = ", ".join(RunConfig.model_fields)
    for source in (None, "world"):
        assert told(source, ["sl.x=1"]) == [f'--set sl.x=1: unknown key "sl" (known here: {known})']
    assert "`extends`" not in told("world", ["extend=world"])[0]


def test_faults_of_the_command_line() -> None:
    assert told(
        None,
        [
            "rl.steps",
            "=3",
            "rl.stepz=1",
            "name=5",
            "name.x=1",
            "rl=3",
            "models.judge=5",
            "judge.clamp=[0.4]",
            "judge.clamp.x=1",
        ],
        flags={"models.assistent": "x"},
    ) == [
        "--set rl.steps: expected key=value (e.g. --set rl.steps=10)",
        "--set =3: expected key=value (e.g. --set rl.steps=10)",
        '--set name.x=1: unknown key "name.x": name is not a section',
        '--set judge.clamp.x=1: unknown key "judge.clamp.x": judge.clamp is not a section',
        "--set name=5: name is 5; expected text in quotes (quote it: --set 'name=\"5\"')",
        "--set models.judge=5: models.judge is 5; expected a model in quotes, or a section",
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


def test_a_run_file_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    path = written(tmp_path, '\ufeffextends = "world"\nseed = 5\n')
    assert load_run_config(path).seed == 5 and run_file_text(path).startswith("extends")


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
            ["sampling.temperature=0", "sft.helpful_per_prompt=1"],
            "sampling.temperature is 0, for pairs too, but at 0 both answers of a pair are equal "
            "(set pairs.temperature, e.g. to 1)",
        ),
        (
            ["sampling.answers.temperature=0"],
            "sft.helpful_per_prompt is 2, but at sampling.answers.temperature 0 all are equal "
            "(set sampling.answers.temperature above 0, or sft.helpful_per_prompt to 1)",
        ),
        (
            ["sampling.temperature=0", "sft.helpful_per_prompt=2", "pairs.temperature=1"],
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
            ["models.judge.path=http://localhost:8000/v1#m"],
            'models.judge.path names a model on a server, but models.judge.engine is "local" (set it to "endpoint")',
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
    assert contradictions(load_run_config()) == []
    required = {"models": ModelsSection(assistant=ModelSection(path="m")), "prompts": PromptsSection(source="world")}
    assert contradictions(RunConfig(**required)) == []
    load_run_config(None, ["rl.algorithm=ppo", "rl.samples_per_prompt=1", "rl.batch_size=16", "rl.gae_lambda=0.5"])
    load_run_config(None, ["judge.method=cot", "judge.clamp=[0.4, 0.6]"])
    load_run_config(None, ["sampling.temperature=0", "sft.helpful_per_prompt=1", "pairs.temperature=1"])
    load_run_config(None, ["sampling.temperature=0", "sampling.answers.temperature=0.5", "pairs.temperature=1"])


@pytest.mark.parametrize("key", ["sk-abcSECRET7", "hf_abcSECRET7"])
def test_a_run_file_that_holds_a_key_is_refused_without_showing_it(tmp_path: Path, key: str) -> None:
    path = tmp_path / "run.toml"
    path.write_text(
        'extends = "world"\n[models.judge]\nengine = "endpoint"\npath = "http://h/v1#m"\n'
        f'[models.judge.endpoint]\nkey = "{key}"\n'
    )
    assert told(path) == [
        f"{path}:6: models.judge.endpoint.key is not the name of an environment variable in capital letters (keep a "
        'key in an environment variable, and name the variable, e.g. endpoint.key = "OPENAI_API_KEY")'
    ]


_TO_VARIABLE = (
    "is not the name of an environment variable in capital letters (keep a key in an environment variable, and name "
    'the variable, e.g. endpoint.key = "OPENAI_API_KEY")'
)


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ("models.judge.endpoint.key=sk-abcSECRET7", f"key=...: models.judge.endpoint.key {_TO_VARIABLE}"),
        (
            "models.judge.endpoint.key=77777777",
            "key=...: models.judge.endpoint.key is ...; expected text in quotes (quote it: --set "
            "'models.judge.endpoint.key=\"...\"')",
        ),
        ("models.judge.endpoint.api_key=sk-abcSECRET7", "api_key=...: unknown key"),
        ("models.judge.endpoint.password=hunter7SECRET", "password=...: unknown key"),
        ("models.judge.endpoint.headers.Authorization=SECRET7", "Authorization=...: unknown key"),
        ("models.judge.hf_token=SECRET7", "hf_token=...: unknown key"),
        ("models.judge.accessToken=SECRET7", "accessToken=...: unknown key"),
        ("models.judge.endpoint=SECRET7", "endpoint=...: models.judge.endpoint is ...; expected a section"),
        ('models.judge={endpoint={apikey="SECRET7"}}', "models.judge=...: unknown key"),
        ('models.judge=5{endpoint={key="SECRET7"', "models.judge=...: models.judge.path names no model on a server"),
        ("models.judge=https://me:SECRET7@host/v1#m", "models.judge=...: models.judge.path holds a key, or a query"),
        ("models.judge=https://host/v1?k=SECRET7#m", "models.judge=...: models.judge.path holds a key, or a query"),
        ("rl.steps=sk-SECRET7", "rl.steps=...: rl.steps is ...; expected a whole number"),
        ("models.judge.endpoint.key: SECRET7", "...: expected key=value (e.g. --set rl.steps=10)"),
        ("name.secret='SECRET7", 'name.secret=...: unknown key "name.secret": name is not a section'),
        ("models.judge.endpoint.key=\udce9SECRET7", "key=...: models.judge.endpoint.key is ..., which cannot be used"),
    ],
)
def test_no_secret_of_a_refused_setting_is_shown(given: str, fault: str) -> None:
    settings = ["models.judge.engine=endpoint", "models.judge.path=http://h/v1#m", given]
    text = "\n".join(told(None, settings))
    assert fault in text and "SECRET7" not in text and "7777" not in text


def test_what_is_no_secret_is_shown() -> None:
    assert told(None, ["sampling.max_new_tokens=few", "rl.micro_batch_tokens=x", "models.judge.endpoint.key"]) == [
        "--set models.judge.endpoint.key: expected key=value (e.g. --set rl.steps=10)",
        '--set sampling.max_new_tokens=few: sampling.max_new_tokens is "few"; expected a whole number',
        '--set rl.micro_batch_tokens=x: rl.micro_batch_tokens is "x"; expected a whole number',
    ]


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
        load_run_config(),
        RunConfig(
            name='quotes " and \\ and é, \n\t\x00\x7f\u2028',
            models=ModelsSection(
                assistant=ModelSection(path="m"), base=ModelSection(path="/a b/c", system=""), trust_remote_code=True
            ),
            sampling=SamplingSection(reasoning=SamplingOverrides(temperature=0.5)),
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
    without_value = {"constitution.few_shots", "prompts.helpful", "judge.clamp", "evaluation"}
    without_value |= {f"models.{role}.{key}" for role in get_args(ModelRole) for key in ("system", "dialogue")}
    without_value |= {"cluster", *(f"cluster.{key}" for key in ClusterSection.model_fields)}
    overrides = ("sampling.answers", "sampling.revisions", "sampling.reasoning", "evaluation")
    without_value |= {f"{each}.{key}" for each in (*overrides, "pairs") for key in SamplingOverrides.model_fields}
    without_value |= {f"sampling.{key}" for key in ("temperature", "top_p", "top_k", "min_p")}
    if config == load_run_config():
        dumped = [key for key, _ in leaves(tomllib.loads(text))]
        held = {key.rpartition(".")[0] for key in dumped} | {"models", *overrides}
        of_engines = {key for key in known_keys() if set(key.split(".")) & set(ENGINES)}
        assert set(known_keys()) - of_engines - set(dumped) - held == without_value - set(overrides)


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
    assert (config.models.assistant.path, config.models.base.path) == (str(home / "model"), "absent/model")
    assert config.models.judge.path == str(elsewhere / "flag")
    assert (config.constitution.path, config.prompts.source) == (str(home / "mine.md"), str(home / "red.jsonl"))
    hub = load_run_config(path, ["prompts.source=hf:flag#test", "prompts.helpful=hf:some/set@main"]).prompts
    assert (hub.source, hub.helpful) == ("hf:flag#test", "hf:some/set@main")
    assert load_run_config(path, ["prompts.source=hf:./flag#test"]).prompts.source == f"hf:{elsewhere}/flag#test"
    assert config.prompts.helpful == str(home / "none.jsonl")  # only a path begins like this, so it is named in full


def test_nothing_a_run_file_names_is_taken_from_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, elsewhere = tmp_path / "home", tmp_path / "elsewhere"
    for folder in (home, elsewhere / "model"):
        folder.mkdir(parents=True)
    (elsewhere / "red.jsonl").touch()
    (elsewhere / "common.toml").write_text('extends = "world"\nseed = 77\n')
    monkeypatch.chdir(elsewhere)
    text = '[models]\nassistant = "model"\n[prompts]\nsource = "red.jsonl"\nbenign = 0\n'
    config = load_run_config(written(home, text))
    assert (config.models.assistant.path, config.prompts.source) == (str(home / "model"), str(home / "red.jsonl"))
    assert "No such file" in told(written(home, 'extends = "common.toml"\n'))[0]


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
        (["prompts.source=r.jsonl"], "prompts of your own need helpfulness data too"),
        (["prompts.source=r.jsonl", "prompts.benign=0"], None),
        (["prompts.source=r.jsonl", "prompts.helpful=h.jsonl"], None),
        (["prompts.helpful=h.jsonl"], "prompts.helpful is set, but the world makes its own"),
    ],
)
def test_helpfulness_data_goes_with_prompts_of_ones_own(settings: list[str], fault: str | None) -> None:
    if fault is None:
        load_run_config("world", settings)
    else:
        assert fault in told("world", settings)[0]


def test_names_are_no_paths_even_where_a_file_has_that_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("world", "embedded", "harmlessness"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path)
    flags = {"models.assistant": "embedded", "prompts.source": "world"}
    config = load_run_config(None, ["constitution.path=harmlessness"], flags)
    assert (config.models.assistant.path, config.prompts.source) == ("embedded", "world")
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
    for lines in (told("world", [f"{key}={value}"]), told("world", flags={key: Path(value)})):
        (line,) = lines
        assert f": {key} is {said}".replace("./", "") in line.replace("./", "")
        line.encode()


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
