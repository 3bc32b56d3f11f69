"""A walk through a merges file in the terminal: one proposal at a time, saved after every answer.

Nothing here prints or reads by itself: `ask` and `say` do, so that a test can be the person.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from solon.artifacts.atomic import sha256_file
from solon.collective.principles.merges import Cited, Decision, Merge, MergeFile, Rewording, read_merges, write_merges
from solon.collective.principles.neutral import one_line
from solon.errors import InputError, UserError, Where

Ask = Callable[[str], str | None]
"""A question to an answer; None: there is nobody to answer any more."""
Say = Callable[[str], None]

KEYS = "y yes, n no, e edit, s skip, q quit"


@dataclass(kw_only=True)
class Walk:
    """Where somebody is in a merges file."""

    path: Path
    ask: Ask
    say: Say
    file: MergeFile
    sha256: str
    """Of the file as it was last read or written: what somebody else changes meanwhile is not overwritten."""
    answered: int = 0

    @classmethod
    def through(cls, path: Path, ask: Ask, say: Say) -> Walk:
        """Raises InputError for a file that cannot be used."""
        return cls(path=path, ask=ask, say=say, file=read_merges(path), sha256=sha256_file(path))

    def go(self) -> None:
        """Asks about everything that is open, in order, until the end or `q`.

        Raises InputError if the file was changed in another place meanwhile; what was answered before is saved.
        """
        waiting = list(self._open())
        for number, (kind, index) in enumerate(waiting, start=1):
            self.say(f"\n{number} of {len(waiting)}")
            goes_on = self._merge(index) if kind == "merge" else self._wording(index)
            if not goes_on:
                return

    def _open(self) -> Iterator[tuple[str, int]]:
        yield from (("merge", at) for at, one in enumerate(self.file.merge) if not one.decision)
        yield from (("wording", at) for at, one in enumerate(self.file.wording) if not one.decision)

    def _merge(self, index: int) -> bool:
        """False: the person wants to stop."""
        merge = self.file.merge[index]
        alike = f"; {merge.voted_alike} people voted alike on all" if merge.voted_alike else ""
        score = f" (similarity {merge.similarity:.2f}{alike})" if merge.similarity is not None else ""
        self.say(f"Do these say the same?{score}")
        for one in merge.statements:
            self.say(f"  {one.id:>5}  {one_line(one.text)}")
        self.say(f"  as one: {one_line(merge.wording)}")
        return self._answers(
            lambda decision: self._save_at("merge", index, merge.model_copy(update={"decision": decision})),
            lambda: self._edit_merge(index, merge),
        )

    def _wording(self, index: int) -> bool:
        one = self.file.wording[index]
        self.say(f"Statement {one.statement} {one_line(one.why)}:")
        self.say(f"         {one_line(one.text)}")
        self.say(f"  words: {one_line(one.wording)}")
        self.say("  y: use these words; n: leave the statement out; e: other words; s: quote it as it is, for now")
        return self._answers(
            lambda decision: self._save_at("wording", index, one.model_copy(update={"decision": decision})),
            lambda: self._edit_wording(index, one),
        )

    def _answers(self, decide: Callable[[Decision], bool], edit: Callable[[], bool]) -> bool:
        """One proposal's answer. False: stop."""
        while True:
            said = self.ask(f"[{KEYS}] ")
            key = said.strip().lower() if said is not None else "q"
            if key in ("q", "quit"):
                return False
            if key in ("s", "skip"):
                return True
            if key in ("y", "yes", "n", "no"):
                if decide("yes" if key[0] == "y" else "no"):
                    return True
            elif key in ("e", "edit"):
                if edit():
                    return True
            else:
                self.say(f"Please answer with one letter: {KEYS}.")

    def _edit_merge(self, index: int, merge: Merge) -> bool:
        """Which statements, and in what words; then it is a yes. False: nothing was decided."""
        out = self.ask("ids to take out, none for all to stay: ")
        if out is None:
            return False
        numbers = {int(found) for found in re.findall(r"[0-9]+", out)[:100]}
        unknown = numbers - {one.id for one in merge.statements}
        stay = tuple(one for one in merge.statements if one.id not in numbers)
        if unknown or len(stay) < 2:
            wrong = f"{min(unknown)} is not among them" if unknown else "fewer than two would stay; answer n instead"
            self.say(f"Nothing changed: {wrong}.")
            return False
        gone: tuple[Cited, ...] = tuple(one for one in merge.statements if one.id in numbers)
        wording = merge.wording if merge.statements[0] in stay else stay[0].text.strip()
        said = self.ask(f"words for the idea, none for “{one_line(wording)}”: ")
        if said is None:
            return False
        changed = {
            "decision": "yes",
            "statements": stay,
            "taken_out": (*merge.taken_out, *gone),
            "wording": one_line(said) or wording,
        }
        return self._save_at("merge", index, merge.model_copy(update=changed))

    def _edit_wording(self, index: int, one: Rewording) -> bool:
        said = self.ask("words: ")
        if said is None or not one_line(said):
            self.say("Nothing changed.")
            return False
        return self._save_at("wording", index, one.model_copy(update={"decision": "yes", "wording": one_line(said)}))

    def _save_at(self, kind: str, index: int, changed: Merge | Rewording) -> bool:
        """With one proposal changed."""
        those = getattr(self.file, kind)
        return self._save(self.file.model_copy(update={kind: (*those[:index], changed, *those[index + 1 :])}))

    def _save(self, file: MergeFile) -> bool:
        """False, and the file as before, if the decision contradicts another one."""
        if not self.path.is_file() or sha256_file(self.path) != self.sha256:
            raise InputError(
                "was changed by somebody else since it was read, so this answer was not saved",
                where=Where(self.path),
                hint="start again; it goes on with what is open",
            )
        write_merges(self.path, file)
        try:
            read_merges(self.path)
        except UserError as error:
            write_merges(self.path, self.file)
            self.sha256 = sha256_file(self.path)
            self.say(f"Not possible: {'; '.join(fault.what for fault in error.faults)}.")
            return False
        self.file, self.sha256 = file, sha256_file(self.path)
        self.answered += 1
        return True
