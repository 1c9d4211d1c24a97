"""Spending: an estimate is reserved before a call and replaced by its price afterwards.

The limit holds over all workers that share a state file, also while calls run: what is reserved counts as
spent. A reservation that is never settled, because its process died, is charged at its estimate.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from isoflop.routing.gateway.config import BudgetSetting, Period

_FORMATS = {"hour": "%Y-%m-%dT%H", "day": "%Y-%m-%d", "month": "%Y-%m", "total": "total"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation:
    """An amount set aside for one call."""

    id: int
    period: str
    usd: float


def period_of(time_s: float, per: Period) -> str:
    """Return the name of the period (UTC) that a time lies in.

    Examples
    --------
    >>> period_of(0.0, "day"), period_of(3_600.0, "hour"), period_of(0.0, "month")
    ('1970-01-01', '1970-01-01T01', '1970-01')
    """
    return datetime.fromtimestamp(time_s, UTC).strftime(_FORMATS[per])


class Budget:
    """A limit on spending for each period.

    Parameters
    ----------
    setting : BudgetSetting
    state : sqlite3.Connection
        From `open_state`.
    hold_s : float
        After this long a reservation counts as lost and is charged.
    clock : callable
        Seconds since the epoch.
    """

    def __init__(
        self,
        setting: BudgetSetting,
        state: sqlite3.Connection,
        *,
        hold_s: float = 3600.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.setting = setting
        self._state = state
        self._hold_s = hold_s
        self._clock = clock

    def committed_usd(self) -> float:
        """Return what is spent or reserved in the present period."""
        return self._committed(period_of(self._clock(), self.setting.per))

    def remaining_usd(self) -> float:
        """Return what may still be reserved in the present period; below 0 after an overrun."""
        return self.setting.usd - self.committed_usd()

    def reserve(self, usd: float, *, over: bool = False) -> Reservation | None:
        """Set an amount aside.

        Parameters
        ----------
        usd : float, >= 0
            Estimated price of the call.
        over : bool
            Reserve even beyond the limit.

        Returns
        -------
        Reservation or None
            None where it would exceed the limit.
        """
        now = self._clock()
        period = period_of(now, self.setting.per)
        with self._transaction():
            self._charge_lost(now)
            if not over and self._committed(period) + usd > self.setting.usd:
                return None
            row = self._state.execute(
                "insert into held (period, usd, until) values (?, ?, ?) returning id",
                (period, usd, now + self._hold_s),
            ).fetchone()
        return Reservation(id=row[0], period=period, usd=usd)

    def settle(self, reservation: Reservation, usd: float, *, is_estimate: bool = False) -> None:
        """Replace a reservation by the price of the call, in the period in which it was made."""
        with self._transaction():
            gone = self._state.execute("delete from held where id = ?", (reservation.id,)).rowcount == 0
            # A lost reservation was charged already: only the difference is left.
            due = usd - reservation.usd if gone else usd
            estimated = (usd if is_estimate else 0.0) - (reservation.usd if gone else 0.0)
            self._charge(reservation.period, due, estimated)

    def release(self, reservation: Reservation) -> None:
        """Give a reservation back: the call cost nothing."""
        self.settle(reservation, 0.0)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._state.execute("begin immediate")
        try:
            yield
        except BaseException:
            self._state.execute("rollback")
            raise
        self._state.execute("commit")

    def _committed(self, period: str) -> float:
        row = self._state.execute(
            "select coalesce((select usd from spent where period = :period), 0)"
            " + coalesce((select sum(usd) from held where period = :period), 0)",
            {"period": period},
        ).fetchone()
        return float(row[0])

    def _charge(self, period: str, usd: float, estimated_usd: float) -> None:
        self._state.execute(
            "insert into spent values (?, ?, ?) on conflict (period) do update set"
            " usd = usd + excluded.usd, estimated_usd = estimated_usd + excluded.estimated_usd",
            (period, usd, estimated_usd),
        )

    def _charge_lost(self, now: float) -> None:
        lost = self._state.execute(
            "delete from held where until < ? returning period, usd", (now,)
        ).fetchall()
        for period, usd in lost:
            self._charge(period, usd, usd)
