"""What makes rows holds all that they need: any process makes the same of it, in any order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import cloudpickle
import pytest

from pipeline.tiny_run import data, differing, run_in, world_config
from solon.artifacts.run_folder import RunFolder
from solon.constitution.few_shots import FewShots
from solon.errors import EngineUnavailableError
from solon.feedback.dialogues import NO_ARTICLE, NO_BETTER
from solon.feedback.rows import Rows
from solon.pipeline.actors import Actors
from solon.pipeline.inputs import RunInputs
from solon.pipeline.shard import Maker, Shard
from solon.pipeline.work import Work
from solon.progress import QuietReporter
from solon.records import Comparison, Dialogue, Gate, Ranking, Revision, RevisionRound
from stages import begun


def elsewhere(maker: Maker[Any, Any], parts: Mapping[int, Sequence[Any]]) -> Iterator[tuple[int, Shard[Any]]]:
    """`Workers` that get no more of a maker than could be sent to another process, and are done with the last first."""
    sent = cloudpickle.loads(cloudpickle.dumps(maker))
    for number in sorted(parts, reverse=True):
        yield number, sent(parts[number])


def test_rows_of_every_stage_made_elsewhere_are_the_same_bytes(
    llama: Path, finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("solon.pipeline.run.workers_at", lambda *_: elsewhere)
    told = run_in(tmp_path, world_config(llama))
    assert told.rows["revisions"] == told.totals["revisions"] == 9
    assert differing(data(finished), data(tmp_path)) == []


def test_an_interrupted_run_keeps_the_shards_that_came(
    llama: Path, finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Here the last one. A stage whose shards are all there still says which model was asked."""
    config, asked = world_config(llama), list[int]()

    def interrupted(maker: Maker[Any, Any], parts: Mapping[int, Sequence[Any]]) -> Iterator[tuple[int, Shard[Any]]]:
        for number, shard in elsewhere(maker, parts):
            asked.append(number)
            if len(asked) == 2:
                raise KeyboardInterrupt
            yield number, shard

    run_in(tmp_path, config, until="prompts")
    with monkeypatch.context() as patch:
        patch.setattr("solon.pipeline.run.workers_at", lambda *_: interrupted)
        with pytest.raises(KeyboardInterrupt):
            run_in(tmp_path, config, until="revisions")
        assert [path.name for path in sorted((tmp_path / "revisions").glob("*.jsonl"))] == ["rows-00002.jsonl"]
        patch.setattr("solon.artifacts.stage.StageFolder.finish", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            run_in(tmp_path, config, until="revisions")
    assert asked == [2, 1, 1, 0]
    monkeypatch.setattr("solon.pipeline.run.workers_at", lambda *_: elsewhere)
    told = run_in(tmp_path, config)
    assert told.recovered_rows == 9
    assert differing(data(finished), data(tmp_path)) == []


def test_texts_go_with_what_was_read_from_them(llama: Path, tmp_path: Path) -> None:
    file = tmp_path / "one.toml"
    file.write_text('[[principle]]\nid = "theft"\ncritique_request = "Does it steal?"\nrevision_request = "Mend it."\n')
    sent = cloudpickle.dumps(RunInputs(world_config(llama, f"constitution.path={file}")))
    file.unlink()
    given = cloudpickle.loads(sent)
    assert [one.id for one in given.critique_principles] == ["theft"] and given.few_shots == FewShots()


def test_models_go_by_their_folders_and_the_arithmetic_of_the_run(llama: Path) -> None:
    """Whatever arithmetic the other machine would choose, and whatever its working directory."""
    actors = Actors(config=world_config(llama, "models.dtype=auto", f"models.judge={llama}"))
    actors.settled = actors.settled.model_copy(
        update={"models": actors.settled.models.model_copy(update={"dtype": "bfloat16"})}
    )
    there = cloudpickle.loads(cloudpickle.dumps(actors))
    assert there.config.models.dtype == "bfloat16" and there.config.models.device == "cpu"
    assert there.path("judge") == there.path("assistant") == llama.resolve()
    assert there.config.models.base.path == ""


def work_in(run: RunFolder) -> Work:
    """Revisions in progress."""
    return Work(
        given=RunInputs(run.config),
        actors=Actors(config=run.config),
        inputs={},
        folder=begun(run, "revisions"),
        reporter=QuietReporter(None),  # type: ignore[arg-type]
        tell=print,
    )


def gated(lost: int) -> Rows[Revision]:
    """Four chains of two rounds, and so many of their eight verdicts lost."""
    numbers = iter(range(8))

    def judged() -> RevisionRound:
        gate = Gate(p_preferred=None if next(numbers) < lost else 0.9, principle_id="theft")
        return RevisionRound(principle_id="theft", critique="c", revision="r", prompt_hash="", finished=True, gate=gate)

    chains = [Revision(id=f"{name}.chain", prompt_id=name, initial="a", rounds=(judged(), judged())) for name in "abcd"]
    return Rows(records=tuple(chains), noted=Counter({"unscored: timed out": lost}))


def test_lost_verdicts_of_a_gate_are_a_share_of_its_verdicts(llama: Path, tmp_path: Path) -> None:
    """Two of eight are as many as may be lost; of the four rows they would be half."""
    with RunFolder.create(tmp_path / "a", world_config(llama)) as run:
        assert len(work_in(run).rows("abcd", lambda _: gated(2), Revision)) == 4
    with RunFolder.create(tmp_path / "b", world_config(llama)) as run, pytest.raises(EngineUnavailableError) as error:
        work_in(run).rows("abcd", lambda _: gated(3), Revision)
    assert str(error.value).startswith("stage revisions lost 3 of 8 verdicts that it asked for (timed out: 3) (see to")


def ranked(lost: int) -> Rows[Ranking]:
    """Four rankings of two answers, two verdicts each, and so many lost."""
    numbers = iter(range(8))

    def label() -> Comparison:
        p = None if next(numbers) < lost else 0.9
        said = {"id": "c", "prompt_id": "p", "a": "a", "b": "b", "p_a_preferred": p}
        why = {"unscored": None if p else "timed out", "rater": "model", "objective": "harmlessness"}
        return Comparison.model_validate(said | why)

    def ranking(name: str) -> Ranking:
        standing = {"answers": ("a", "b"), "by_article": (None, None), "by_document": (None, None)}
        labels = {"comparisons": (label(),), "article_comparisons": (label(),)}
        return Ranking.model_validate({"id": name, "prompt_id": name, "principle_id": "x", **standing, **labels})

    return Rows(records=tuple(map(ranking, "abcd")), noted=Counter({"unscored: timed out": lost}))


def test_lost_verdicts_of_rankings_are_a_share_of_their_verdicts(llama: Path, tmp_path: Path) -> None:
    with RunFolder.create(tmp_path / "a", world_config(llama)) as run:
        assert len(work_in(run).rows("abcd", lambda _: ranked(2), Ranking)) == 4
    with RunFolder.create(tmp_path / "b", world_config(llama)) as run, pytest.raises(EngineUnavailableError) as error:
        work_in(run).rows("abcd", lambda _: ranked(3), Ranking)
    assert "lost 3 of 8 verdicts" in str(error.value)


def test_verdicts_that_dialogues_lost_are_a_share_of_those_asked_for(llama: Path, tmp_path: Path) -> None:
    """Of 21 dialogues three came to the judge, who was lost at two: of the rows that would be little."""
    dropped = Counter({NO_ARTICLE: 18, NO_BETTER: 1, "unscored: timed out": 2})
    with RunFolder.create(tmp_path, world_config(llama)) as run, pytest.raises(EngineUnavailableError) as error:
        work_in(run).rows("abcd", lambda _: Rows(dropped=dropped), Dialogue)
    assert "lost 2 of 3 verdicts" in str(error.value)


def test_a_stage_in_progress_stays_where_it_is(llama: Path, tmp_path: Path) -> None:
    with RunFolder.create(tmp_path, world_config(llama)) as run:
        work = work_in(run)
        with pytest.raises(TypeError, match=r"let `make` hold `work.given`, an actor or values, not `work`"):
            cloudpickle.dumps(lambda: work)


def test_a_server_is_asked_from_here(llama: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has one client, whose requests have one budget."""
    asked: list[set[str]] = []

    def seen(maker: Maker[Any, Any], parts: Mapping[int, Sequence[Any]]) -> Iterator[tuple[int, Shard[Any]]]:
        asked.append(set(maker.actors))
        yield from elsewhere(maker, parts)

    monkeypatch.setattr("solon.pipeline.run.workers_at", lambda *_: seen)
    run_in(tmp_path, world_config(llama, "models.judge.path=x", "models.judge.engine=scripted"), until="comparisons")
    assert asked == [{"assistant"}, {"assistant"}, {"sl"}]
