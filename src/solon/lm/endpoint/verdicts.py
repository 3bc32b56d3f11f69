"""What a server's reply says of options: by the likeliest tokens where it gives them, else by what it wrote."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import takewhile

from solon.lm.endpoint.replies import Step
from solon.lm.protocols import OptionScores


def shared(options: Sequence[str]) -> str:
    """What all of them begin with."""
    same = takewhile(lambda letters: len(set(letters)) == 1, zip(*options, strict=False))
    return "".join(letters[0] for letters in same)


def option_scores(options: Sequence[str], steps: Iterable[Step], *, begun: str = "") -> OptionScores:
    """Log-probabilities of options from those of the likeliest tokens, step by step while what is written agrees with
    every option. `begun`: what the reply was begun with. An option that no likely token agrees with has a bound: the
    least likely of them, but for the token that was written, which some servers list though it is none of them.

    Example: ` (A)` and ` (B)` begun with ` (`: of the tokens `A` -0.1, `A)` -3, `The` -4, the first has -0.05, the
    second at most -4.
    """
    found: list[list[float]] = [[] for _ in options]
    forms = [_forms(option) for option in options]
    said, path, least = begun, 0.0, 0.0
    for token, top in steps:
        for candidate, logprob in top:
            text = (said + candidate).strip()
            agreeing = [place for place, form in enumerate(forms) if _agree(form, text)]
            if len(agreeing) == 1:
                found[agreeing[0]].append(path + logprob)
        least = path + min((logprob for candidate, logprob in top if candidate != token), default=0.0)
        said, path = said + token, path + dict(top).get(token, least)
        if not all(_agree(form, said.strip()) for form in forms):
            break
    seen = [_total(own) if own else None for own in found]
    bound = min([least, *(value for value in seen if value is not None)])
    return OptionScores(
        logprobs=tuple(min(bound if value is None else value, 0.0) for value in seen),
        bounded=frozenset(place for place, value in enumerate(seen) if value is None),
    )


def _total(logprobs: Sequence[float]) -> float:
    """Of any of them. Some servers say -9999 of what is very unlikely, whose probability is 0 in a float."""
    most = max(logprobs)
    return most + math.log(math.fsum(math.exp(one - most) for one in logprobs))


def _forms(option: str) -> tuple[str, str]:
    """As it is, and without its opening bracket."""
    whole = option.strip()
    return whole, whole.removeprefix("(")


def _agree(forms: tuple[str, str], said: str) -> bool:
    """Whether one begins with the other."""
    return forms[0].startswith(said) or forms[1].startswith(said) or said.startswith(forms)


def voted(options: Sequence[str], votes: Sequence[int | None]) -> OptionScores:
    """The options' shares of votes, each with half a vote added (Jeffreys), so that none is certain. `None`: a reply
    that named no option. Example: 8 of 8 for the first give 0.94 and 0.06."""
    valid = [vote for vote in votes if vote is not None]
    total = len(valid) + len(options) / 2
    shares = ((valid.count(place) + 0.5) / total for place in range(len(options)))
    return OptionScores(logprobs=tuple(map(math.log, shares)), unread=len(votes) - len(valid))


def named(text: str, options: Sequence[str], *, cue: str = "") -> int | None:
    """Which option a reply names: it is that option, with or without brackets, or begins with it in brackets and names
    no other. The reply may repeat the `cue` that it follows. Anything else is prose, and no verdict."""
    said = text.strip().removeprefix(cue.strip()).strip(" \n\t*_`\"'").removesuffix(".")
    bare = [option.strip() for option in options]
    for place, option in enumerate(bare):
        if said in (option, option.strip("()")):
            return place
        others = bare[:place] + bare[place + 1 :]
        if said.startswith(option) and not any(other in said for other in others):
            return place
    return None
