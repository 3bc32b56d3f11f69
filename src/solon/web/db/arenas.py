"""Arenas: what models answered, which pairs were shown to whom, and what was said of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import Row, Select, delete, func, select
from sqlalchemy.orm import Session, aliased

from solon.evals.arena import Ballot, Verdict
from solon.evals.contest import Objective
from solon.records import Turn
from solon.web.db.arena_tables import Arena, ArenaAnswer, ArenaPrompt, ArenaShowing, ArenaVote
from solon.web.db.once import insert_once
from solon.web.db.tables import Conversation, Participant, State, now
from solon.web.forms import cleaned
from solon.web.signing import Signer, new_token

A, B = aliased(ArenaAnswer), aliased(ArenaAnswer)
Ids = tuple[int, int]
"""The two answers of a pair, the smaller number first: a pair is the same in both orders."""


class Written(NamedTuple):
    """An answer as it is in the arena."""

    prompt: int
    id: int
    model: str
    spoiled: bool
    text: str


class Shown(NamedTuple):
    """A pair before somebody."""

    showing: ArenaShowing
    prompt: ArenaPrompt
    a: str
    b: str

    @property
    def turns(self) -> tuple[Turn, ...]:
        return tuple(Turn.model_validate(one) for one in self.prompt.turns)


def arena_of(db: Session, talk: Conversation) -> Arena:
    return db.get_one(Arena, talk.id)


def people_of(db: Session, talk: Conversation) -> Conversation | None:
    """The conversation whose participants alone compare in this arena. None: everybody may, or this is no arena."""
    query = select(Conversation).join(Arena, Arena.people_of == Conversation.id)
    return db.scalar(query.where(Arena.conversation_id == talk.id))


def begun_for(db: Session, talk: Conversation, *states: State) -> Sequence[Conversation]:
    """The arenas of this conversation's participants that are in one of these states, the newest first."""
    query = select(Conversation).join(Arena, Arena.conversation_id == Conversation.id)
    mine = query.where(Arena.people_of == talk.id, Conversation.state.in_(states))
    return db.scalars(mine.order_by(Conversation.id.desc())).all()


def numbers_there(db: Session, talk: Conversation, there: Conversation, signer: Signer) -> dict[str, int]:
    """Who a judge is in another conversation: the number there of whoever has the same session, by their hash as a
    judge. Who left either is not in it."""
    judge, person = aliased(Participant), aliased(Participant)
    same = (judge.browser == person.browser) & (person.conversation_id == there.id)
    query = select(judge.id, person.number).join(person, same).where(judge.conversation_id == talk.id)
    return {_judge(id, signer): number for id, number in db.execute(query)}


def add_prompt(
    db: Session, talk: Conversation, key: str, turns: Sequence[Turn], judge: Participant | None = None
) -> int:
    """The prompt's number, new or as it was."""
    told = [turn.model_dump() | {"text": cleaned(turn.text)} for turn in turns]
    values = {"conversation_id": talk.id, "key": key, "turns": told, "judge_id": judge and judge.id}
    made = insert_once(db, ArenaPrompt, **values)
    known = select(ArenaPrompt.id).filter_by(conversation_id=talk.id, key=key)
    return made if made is not None else db.scalars(known).one()


def add_answer(db: Session, prompt: int, model: str, text: str, *, spoiled: bool = False) -> int | None:
    """The number of a new answer; None if this model has answered it before, which then stands."""
    told = {"model": cleaned(model), "text": cleaned(text)}
    return insert_once(db, ArenaAnswer, prompt_id=prompt, spoiled=spoiled, **told)


def answers_version(db: Session, talk: Conversation) -> tuple[int, int]:
    """Differs whenever `answers` does."""
    count, newest = db.execute(_given(talk).with_only_columns(func.count(), func.max(ArenaAnswer.id))).one()
    return count, newest or 0


def answers(db: Session, talk: Conversation) -> list[Written]:
    """Those to prompts that everybody may see, by prompt."""
    columns = (ArenaPrompt.id, ArenaAnswer.id, ArenaAnswer.model, ArenaAnswer.spoiled, ArenaAnswer.text)
    query = _given(talk).with_only_columns(*columns).order_by(ArenaPrompt.id, ArenaAnswer.id)
    return [Written(*row) for row in db.execute(query)]


def _given(talk: Conversation) -> Select[*tuple[Any, ...]]:
    own = (ArenaPrompt.conversation_id == talk.id) & ArenaPrompt.judge_id.is_(None)
    return select(ArenaAnswer).join(ArenaPrompt).where(own)


def remove_model(db: Session, talk: Conversation, model: str) -> None:
    """Its answers, and prompts that nobody answers any more."""
    prompts = select(ArenaPrompt.id).where(ArenaPrompt.conversation_id == talk.id)
    db.execute(delete(ArenaAnswer).where(ArenaAnswer.model == model, ArenaAnswer.prompt_id.in_(prompts)))
    answered = select(ArenaAnswer.prompt_id)
    db.execute(delete(ArenaPrompt).where(ArenaPrompt.conversation_id == talk.id, ArenaPrompt.id.not_in(answered)))


def shown_counts(db: Session, talk: Conversation) -> Counter[Ids]:
    """How often each pair was shown to anybody."""
    query = select(ArenaShowing.a_id, ArenaShowing.b_id, func.count()).join(ArenaPrompt)
    found: Counter[Ids] = Counter()
    for a, b, count in db.execute(
        query.where(ArenaPrompt.conversation_id == talk.id).group_by(ArenaShowing.a_id, ArenaShowing.b_id)
    ):
        found[pair_of(a, b)] += count
    return found


def seen(db: Session, judge: Participant) -> set[Ids]:
    """Pairs that somebody was shown."""
    query = select(ArenaShowing.a_id, ArenaShowing.b_id).where(ArenaShowing.participant_id == judge.id)
    return {pair_of(a, b) for a, b in db.execute(query)}


def pair_of(one: int, other: int) -> Ids:
    return min(one, other), max(one, other)


def show(db: Session, judge: Participant, prompt: int, a: int, b: int, chance: float) -> None:
    """Log a pair, its order, and the chance of its draw."""
    values = {"prompt_id": prompt, "a_id": a, "b_id": b, "chance": chance}
    db.add(ArenaShowing(participant_id=judge.id, token=new_token(), **values))
    db.flush()


def alone(db: Session, judge: Participant) -> None:
    """Until this transaction ends, nothing else is shown to this judge."""
    db.execute(select(Participant.id).where(Participant.id == judge.id).with_for_update())


def waiting(db: Session, judge: Participant) -> Shown | None:
    """The pair that somebody was shown and has not voted on."""
    return _newest(db, judge, voted=False)


def last_own(db: Session, judge: Participant) -> tuple[Shown, ArenaVote] | None:
    """The newest pair that somebody voted on, if it was on a prompt of their own."""
    found = _newest(db, judge, voted=True)
    if found is None or found.prompt.judge_id != judge.id:
        return None
    return found, db.scalars(select(ArenaVote).filter_by(showing_id=found.showing.id)).one()


def _newest(db: Session, judge: Participant, *, voted: bool) -> Shown | None:
    query = (
        select(ArenaShowing, ArenaPrompt, A.text, B.text)
        .join(ArenaPrompt, ArenaShowing.prompt_id == ArenaPrompt.id)
        .join(A, ArenaShowing.a_id == A.id)
        .join(B, ArenaShowing.b_id == B.id)
        .outerjoin(ArenaVote, ArenaVote.showing_id == ArenaShowing.id)
        .where(ArenaShowing.participant_id == judge.id)
        .where(ArenaVote.id.is_not(None) if voted else ArenaVote.id.is_(None))
        .order_by(ArenaShowing.id.desc())
        .limit(1)
    )
    found = db.execute(query).first()
    return Shown(*found) if found else None


def models_of(db: Session, showing: ArenaShowing) -> tuple[str, str]:
    """Whose the two answers are."""
    a, b = (db.get_one(ArenaAnswer, id).model for id in (showing.a_id, showing.b_id))
    return a, b


def of_token(db: Session, judge: Participant, token: str) -> ArenaShowing | None:
    """What this judge was shown in a form; None for a token that is not theirs."""
    return db.scalar(select(ArenaShowing).filter_by(token=token, participant_id=judge.id))


def cast(db: Session, showing: ArenaShowing, said: dict[Objective, Verdict]) -> bool:
    """Is this the vote that counts? A pair is voted on once, however often its form is sent."""
    return insert_once(db, ArenaVote, showing_id=showing.id, time=now(), **said) is not None


def voted(db: Session, judge: Participant) -> int:
    """How many pairs somebody has voted on."""
    query = select(func.count(ArenaVote.id)).join(ArenaShowing).where(ArenaShowing.participant_id == judge.id)
    return db.scalar(query) or 0


def counted(db: Session, talk: Conversation) -> tuple[int, int, int]:
    """People who voted, prompts, votes."""
    query = select(func.count(ArenaShowing.participant_id.distinct()), func.count()).select_from(ArenaVote)
    own = query.join(ArenaShowing).join(ArenaPrompt).where(ArenaPrompt.conversation_id == talk.id)
    people, votes = db.execute(own).one()
    prompts = db.scalar(select(func.count()).where(ArenaPrompt.conversation_id == talk.id)) or 0
    return people, prompts, votes


def votes_version(db: Session, talk: Conversation) -> tuple[int, int]:
    """Differs whenever `ballots` does."""
    query = select(func.count(), func.max(ArenaVote.id)).select_from(ArenaVote).join(ArenaShowing).join(ArenaPrompt)
    count, newest = db.execute(query.where(ArenaPrompt.conversation_id == talk.id)).one()
    return count, newest or 0


def ballots(db: Session, talk: Conversation, signer: Signer) -> list[Ballot]:
    """Every vote, the oldest first. Judges are keyed hashes: the same in every export of a site, and of nobody's."""
    return [_ballot(row, signer) for row in db.execute(_votes(talk))]


def texts(db: Session, talk: Conversation) -> dict[str, tuple[str, str]]:
    """What was shown as A and B, by the ballot's id."""
    query = _votes(talk).with_only_columns(ArenaVote.id, A.text, B.text)
    return {str(id): (a, b) for id, a, b in db.execute(query)}


def _votes(talk: Conversation) -> Select[*tuple[Any, ...]]:
    return (
        select(ArenaVote, ArenaShowing, ArenaPrompt.key, A.model, A.spoiled, B.model, B.spoiled)
        .join(ArenaShowing, ArenaVote.showing_id == ArenaShowing.id)
        .join(ArenaPrompt, ArenaShowing.prompt_id == ArenaPrompt.id)
        .join(A, ArenaShowing.a_id == A.id)
        .join(B, ArenaShowing.b_id == B.id)
        .where(ArenaPrompt.conversation_id == talk.id)
        .order_by(ArenaVote.id)
    )


def _judge(participant: int, signer: Signer) -> str:
    return signer.hashed(f"judge {participant}")[:16]


def _ballot(row: Row[*tuple[Any, ...]], signer: Signer) -> Ballot:
    vote, showing, key, a, a_spoiled, b, b_spoiled = row
    return Ballot.model_validate(
        {
            "id": str(vote.id),
            "judge": _judge(showing.participant_id, signer),
            "prompt": key,
            "a": a,
            "b": b,
            "said": {"helpfulness": vote.helpfulness, "harmlessness": vote.harmlessness},
            "chance": showing.chance,
            "sound": "b" if a_spoiled else "a" if b_spoiled else None,
        }
    )


def live_meetings(db: Session, talk: Conversation) -> list[tuple[str, str]]:
    """The two models of every pair on a judge's own prompt."""
    query = (
        select(A.model, B.model)
        .select_from(ArenaShowing)
        .join(ArenaPrompt, ArenaShowing.prompt_id == ArenaPrompt.id)
        .join(A, ArenaShowing.a_id == A.id)
        .join(B, ArenaShowing.b_id == B.id)
        .where(ArenaPrompt.conversation_id == talk.id, ArenaPrompt.judge_id.is_not(None))
    )
    return [(a, b) for a, b in db.execute(query)]
