"""A walk through a merges file in the terminal: one proposal at a time, saved after every answer.

Nothing here prints or reads by itself: `ask` and `say` do, so that a test can be the person.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

from solon.artifacts.hashes import sha256_file
from solon.collective.principles.merges import Merge, Rewording, merges_toml, parsed_merges, read_merges, write_merges
from solon.collective.principles.wording import one_line
from solon.errors import InputError, Where

Ask = Callable[[str], str | None]
"""A question to an answer; None: there is nobody to answer any more."""
Say = Callable[[str], None]
Proposal = Merge | Rewording

KEYS = "y yes, n no, e edit, s skip, q quit"


class Walk:
    """Where somebody is in a merges file. Raises InputError for one that cannot be used."""

    def __init__(self, path: Path, ask: Ask, say: Say) -> None:
        self.path, self.ask, self.say = path, ask, say
        self.file, self.answered = read_merges(path), 0
        self.sha256 = sha256_file(path)  # as last read or written: what somebody else changes is not overwritten

    def go(self) -> None:
        """Asks about everything that is open, in order, until the end or `q`.

        Raises InputError if the file was changed in another place meanwhile; what was answered before is saved.
        """
        kinds: dict[str, tuple[Proposal, ...]] = {"merge": self.file.merge, "wording": self.file.wording}
        waiting = [(kind, at) for kind, those in kinds.items() for at, one in enumerate(those) if not one.decision]
        for number, (kind, at) in enumerate(waiting, start=1):
            self.say(f"\n{number} of {len(waiting)}")
            proposal: Proposal = getattr(self.file, kind)[at]
            for line in _in_words(proposal):
                self.say(line)
            if not self._answer(kind, at, proposal):
                return

    def _answer(self, kind: str, at: int, proposal: Proposal) -> bool:
        """Asks until there is an answer that can be saved. False: the person wants to stop."""
        while True:
            said = self.ask(f"[{KEYS}] ")
            key = said.strip().lower() if said is not None else "q"
            changed: Proposal | None = None
            if key in ("q", "quit"):
                return False
            if key in ("s", "skip"):
                return True
            if key in ("y", "yes", "n", "no"):
                changed = proposal.model_copy(update={"decision": "yes" if key[0] == "y" else "no"})
            elif key in ("e", "edit"):
                changed = self._merge(proposal) if isinstance(proposal, Merge) else self._wording(proposal)
            else:
                self.say(f"Please answer with one letter: {KEYS}.")
            if changed is not None and self._save(kind, at, changed):
                return True

    def _merge(self, merge: Merge) -> Merge | None:
        """With the statements and the words that a person wants, accepted; None: nothing was decided."""
        out = self.ask("ids to take out, none for all to stay: ")
        if out is None:
            return None
        numbers = {int(found) for found in re.findall(r"[0-9]+", out)[:100]}
        unknown = numbers - {one.id for one in merge.statements}
        stay = tuple(one for one in merge.statements if one.id not in numbers)
        if unknown or len(stay) < 2:
            wrong = f"{min(unknown)} is not among them" if unknown else "fewer than two would stay; answer n instead"
            self.say(f"Nothing changed: {wrong}.")
            return None
        wording = merge.wording if merge.statements[0] in stay else stay[0].text.strip()
        said = self.ask(f"words for the idea, none for “{one_line(wording)}”: ")
        gone = tuple(one for one in merge.statements if one.id in numbers)
        changed = {"decision": "yes", "statements": stay, "taken_out": (*merge.taken_out, *gone)}
        words = {"wording": one_line(said or "") or wording}
        return None if said is None else merge.model_copy(update=changed | words)

    def _wording(self, one: Rewording) -> Rewording | None:
        words = one_line(self.ask("words: ") or "")
        if not words:
            self.say("Nothing changed.")
            return None
        return one.model_copy(update={"decision": "yes", "wording": words})

    def _save(self, kind: str, at: int, changed: Proposal) -> bool:
        """With one proposal changed. False, and the file as before, if the decision contradicts another one."""
        if not self.path.is_file() or sha256_file(self.path) != self.sha256:
            raise InputError(
                "was changed by somebody else since it was read, so this answer was not saved",
                where=Where(self.path),
                hint="start again; it goes on with what is open",
            )
        those = getattr(self.file, kind)
        file = self.file.model_copy(update={kind: (*those[:at], changed, *those[at + 1 :])})
        try:
            parsed_merges(self.path, merges_toml(file))
        except InputError as error:
            self.say(f"Not possible: {'; '.join(fault.what for fault in error.faults)}.")
            return False
        write_merges(self.path, file)
        self.file, self.sha256 = file, sha256_file(self.path)
        self.answered += 1
        return True


def _in_words(one: Proposal) -> Iterator[str]:
    if isinstance(one, Rewording):
        yield f"Statement {one.statement} {one_line(one.why)}:"
        yield f"         {one_line(one.text)}"
        yield f"  words: {one_line(one.wording)}"
        yield "  y: use these words; n: leave the statement out; e: other words; s: quote it as it is, for now"
        return
    alike = f"; {one.voted_alike} people voted alike on all" if one.voted_alike else ""
    score = f" (similarity {one.similarity:.2f}{alike})" if one.similarity is not None else ""
    yield f"Do these say the same?{score}"
    yield from (f"  {cited.id:>5}  {one_line(cited.text)}" for cited in one.statements)
    yield f"  as one: {one_line(one.wording)}"
