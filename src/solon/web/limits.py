"""How often one visitor may do what costs others something. Addresses are held in memory alone, and briefly."""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import dataclass, field
from ipaddress import IPv4Address, ip_address, ip_network
from threading import Lock
from time import monotonic

from solon.web.troubles import too_often

MOST_KEYS = 50_000
"""Visitors remembered at once for each limit. Beyond it, those not seen for longest are forgotten first, and whoever
has reached the limit last of all: nobody makes room for themselves by sending from elsewhere."""

SWEEP_SECONDS = 60.0


@dataclass(frozen=True)
class Limit:
    """So many times in so many seconds, of one address or of one browser."""

    name: str
    times: int
    seconds: float
    of_browser: bool = False


def network(address: str) -> str:
    """The address, or the part of it that its owner cannot change: of the newer kind, everybody has 2⁶⁴.

    >>> network("192.0.2.7"), network("::ffff:192.0.2.7"), network("2001:db8::7")
    ('192.0.2.7', '192.0.2.7', '2001:db8::/64')
    """
    try:
        found = ip_address(address)
    except ValueError:
        return address
    if isinstance(found, IPv4Address):
        return address
    return str(found.ipv4_mapped or ip_network((int(found) >> 64 << 64, 64)))


Table = OrderedDict[str, deque[float]]
"""Of one limit: when each time of a visitor ceases to count."""


@dataclass
class Limiter:
    """Counts of this process. What is too old to count is forgotten with the next count, a minute later at most."""

    _seen: dict[str, Table] = field(default_factory=dict)
    """By the limit's name."""
    _swept: float = 0.0
    _lock: Lock = field(default_factory=Lock)

    def count(self, limit: Limit, who: str) -> None:
        """Once more. Raises `Trouble` where that is too often; a refused time counts not."""
        moment = monotonic()
        with self._lock:
            self._sweep(moment)
            table = self._seen.setdefault(limit.name, OrderedDict())
            times = table.setdefault(who, deque())
            table.move_to_end(who)
            while times and times[0] <= moment:
                times.popleft()
            _require_open(limit, times, moment)
            times.append(moment + limit.seconds)
            while len(table) > MOST_KEYS:
                del table[next((one for one, its in table.items() if not _is_closed(limit, its, moment)), who)]

    def require(self, limit: Limit, who: str) -> None:
        """Raises `Trouble` where once more would be too often. Nothing is counted, and nobody remembered."""
        with self._lock:
            if times := self._seen.get(limit.name, OrderedDict()).get(who):
                _require_open(limit, times, monotonic())

    def _sweep(self, moment: float) -> None:
        if moment < self._swept + SWEEP_SECONDS:
            return
        self._swept = moment
        for table in self._seen.values():
            for who in [who for who, times in table.items() if not times or times[-1] <= moment]:
                del table[who]


def _is_closed(limit: Limit, times: deque[float], moment: float) -> bool:
    """There are never more than so many."""
    return len(times) == limit.times and times[0] > moment


def _require_open(limit: Limit, times: deque[float], moment: float) -> None:
    if _is_closed(limit, times, moment):
        raise too_often(max(1, round((times[0] - moment) / 60)))
