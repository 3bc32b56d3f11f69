"""How often one visitor may do what costs others something. Addresses are held in memory alone, and briefly."""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import dataclass, field
from ipaddress import IPv4Address, ip_address, ip_network
from threading import Lock
from time import monotonic

from solon.web.troubles import too_often

MOST_KEYS = 50_000
"""Visitors remembered at once; those not seen for longest are forgotten first."""

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


@dataclass
class Limiter:
    """Counts of this process. What is too old to count is forgotten with the next count, a minute later at most."""

    _seen: OrderedDict[tuple[str, str], deque[float]] = field(default_factory=OrderedDict)
    """When each time ceases to count."""
    _swept: float = 0.0
    _lock: Lock = field(default_factory=Lock)

    def count(self, limit: Limit, who: str) -> None:
        """Once more. Raises `Trouble` where that is too often; a refused time counts not."""
        moment = monotonic()
        with self._lock:
            self._sweep(moment)
            times = self._seen.setdefault((limit.name, who), deque())
            self._seen.move_to_end((limit.name, who))
            while times and times[0] <= moment:
                times.popleft()
            if len(times) >= limit.times:
                raise too_often(max(1, round((times[0] - moment) / 60)))
            times.append(moment + limit.seconds)
            while len(self._seen) > MOST_KEYS:
                self._seen.popitem(last=False)

    def _sweep(self, moment: float) -> None:
        if moment < self._swept + SWEEP_SECONDS:
            return
        self._swept = moment
        for key in [key for key, times in self._seen.items() if not times or times[-1] <= moment]:
            del self._seen[key]
