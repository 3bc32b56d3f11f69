"""One running site: what all requests share."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from solon.web.db.engine import Database
from solon.web.kept import Kept
from solon.web.limits import Limiter
from solon.web.live import Live
from solon.web.modelling import Modelling
from solon.web.runs import Runs
from solon.web.settings import Settings
from solon.web.signing import Signer


@dataclass
class Site:
    """Opened once; closed with the process."""

    settings: Settings

    @cached_property
    def signer(self) -> Signer:
        return Signer(self.settings.secret)

    @cached_property
    def database(self) -> Database:
        return Database(self.settings.database_url)

    @cached_property
    def limiter(self) -> Limiter:
        return Limiter()

    @cached_property
    def live(self) -> Live:
        return Live(self.database)

    @cached_property
    def runs(self) -> Runs:
        return Runs(self.settings.runs)

    @cached_property
    def modelling(self) -> Modelling:
        return Modelling()

    @cached_property
    def kept(self) -> Kept:
        return Kept()
