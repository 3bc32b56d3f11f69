"""verl: https://github.com/verl-project/verl. It finetunes and does RL, and trains no preference models."""

from __future__ import annotations

from solon.config.run import RunConfig
from solon.export.engine import Engine
from solon.export.models import POLICY, REWARD_MODEL
from solon.export.rewarding import NO_JUDGE, ONE_MODEL, Rewarding, unweighted
from solon.export.sets import CUT_OFF, Asked, ExportRow, Kind, Message, PromptId, PromptRow, RowId, SftRow
from solon.records import Record


class VerlSftRow(ExportRow):
    """Answers to imitate, each at the end of its dialogue."""

    messages: tuple[Message, ...]
    """The dialogue and, last, the answer to imitate. verl imitates the assistant's earlier turns too."""
    source: str
    """`revision-<round>`, or `helpful` for an answer to a benign prompt."""
    kind: Kind
    prompt_id: PromptId
    id: RowId
    model: str | None
    """Who wrote an answer that was given to the run, if the file said so."""

    @classmethod
    def of(cls, row: ExportRow, number: int) -> VerlSftRow:
        assert isinstance(row, SftRow) and not isinstance(row.prompt, str) and not isinstance(row.completion, str)
        return cls(
            messages=(*row.prompt, *row.completion),
            source=row.source,
            kind=row.kind,
            prompt_id=row.prompt_id,
            id=row.id,
            model=row.model,
        )


class Reward(Record):
    """What verl wants to know of how a prompt is rewarded."""

    style: str = "model"
    ground_truth: str = ""


class Info(Record):
    """What verl hands to reward functions."""

    index: int
    id: str
    kind: str


class VerlPromptRow(ExportRow):
    """Prompts alone, to be answered in training."""

    data_source: str = "solon"
    """Always `solon`; by others verl chooses among reward functions of its own."""
    prompt: Asked
    ability: Kind
    reward_model: Reward = Reward()
    """`style` is `model` and `ground_truth` empty: the preference model rewards."""
    extra_info: Info
    """`index`: the row's number; `id`: the prompt's in the run; `kind`."""

    @classmethod
    def of(cls, row: ExportRow, number: int) -> VerlPromptRow:
        assert isinstance(row, PromptRow)
        info = Info(index=number, id=row.id, kind=row.kind)
        return cls(prompt=row.prompt, ability=row.kind, extra_info=info)


NO_TERM = "where a reward model scores it takes no other reward; a function in its place may ask that model"


def _rewards(config: RunConfig) -> Rewarding:
    rewards = config.rl.rewards
    lacks = dict.fromkeys(rewards.of_texts, NO_TERM)
    return unweighted(rewards, {"models": ONE_MODEL, "judge": NO_JUDGE, **lacks})


VERL = Engine(
    name="verl",
    title="verl",
    version="0.9.0",
    sets={"sft": VerlSftRow, "prompts": VerlPromptRow},
    trainers={"sft": "sft_trainer", "prompts": "main_ppo"},
    without=(CUT_OFF,),  # it ends every answer
    run_files={"sft.sh": (POLICY,), "rl.sh": (POLICY, REWARD_MODEL)},
    rewards=_rewards,
)
