"""Counts what loaded sources hold as of a date; it finds nothing good or bad."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from ...config import Config
from ...dates import AsOf
from ...store import Engine
from ...tables.contracts import REFERS_TO_CUSTOMERS
from ...tables.lake import ATTRIBUTE_PREFIX
from ..loaded import LoadedSources
from ..reports import SourceReport
from .answer import WITHOUT_FACTS, Match, SourceReadiness

DAYS_PER_MONTH = 30.44

TIE_DAYS = 90
"""Days in which the partners of a customer are counted here, as for ties."""

HUBS = """
with known as (
    select caller_key, callee_key from calls where started_at >= $since and started_at < $as_of and known_at < $as_of
),
ends as (
    select caller_key as customer_key, callee_key as partner from known
    union all
    select callee_key as customer_key, caller_key as partner from known
),
busy as (
    select customer_key from ends where customer_key >= 0 group by customer_key having count(*) > $most
),
partners as (
    select customer_key, count(distinct partner) as n from ends where customer_key in (select customer_key from busy)
    group by customer_key
)
select count(*) from partners where n > $most
"""
"""Number of customers with more partners than friends; who has too few calls for that is not counted further."""

HAPPENED: dict[str, tuple[str, str]] = {
    "calls": ("known_at", "started_at"),
    "surveys": ("known_at", "invited_at"),
    "interactions": ("known_at", "at"),
    "usage": ("known_at", "known_at"),
    "events": ("known_at", "at"),
    "treatments": ("known_at", "at"),
}
"""Per table: when a fact became known, and the date that its age counts from (for usage the end of its period)."""

WITH_ANY: dict[str, str] = {
    "calls": "select count(distinct customer_key) from customers where customer_key in "
    "(select caller_key from calls union select callee_key from calls)",
    "usage": "select count(distinct customer_key) from usage",
    "surveys": "select count(distinct customer_key) from surveys where score is not null",
    "interactions": "select count(distinct customer_key) from interactions",
    "events": "select count(distinct customer_key) from events",
}

CALLED = {
    "calls": "call", "usage": "usage", "surveys": "answer", "interactions": "interaction", "events": "event",
}  # fmt: skip


@dataclass
class Counts:
    """What the registered tables of loaded sources hold as of a date."""

    loaded: LoadedSources
    engine: Engine
    config: Config
    as_of: AsOf

    def has(self, table: str) -> bool:
        return self.loaded.tables.has(table)

    def number(self, sql: str) -> int:
        given = {"as_of": self.as_of.instant} if "$as_of" in sql else {}
        value = self.engine.connection.execute(sql, given).fetchone()
        return int(value[0] or 0) if value else 0

    def source(self, report: SourceReport) -> SourceReadiness:
        name = report.source
        happened = HAPPENED.get(name)
        n_known, age = None, None
        if happened is not None:
            known, column = happened
            row = self.engine.connection.execute(
                f'select count(*), max("{column}") from {name} '  # noqa: S608 - names of ours
                f'where {known} < $as_of and "{column}" < $as_of',
                {"as_of": self.as_of.instant},
            ).fetchone()
            n_known, newest = (int(row[0]), row[1]) if row else (0, None)
            age = round((self.as_of.instant - newest) / timedelta(days=1), 2) if newest is not None else None
        most = [part.max_age_days for part in self._parts(name) if part.max_age_days is not None]
        stale = bool(most) and (age is None or age > min(most))
        by_code = report.by_code()
        shares = {column: count / report.n_kept for column, count in report.nulls.items() if report.n_kept}
        return SourceReadiness(
            name, report.n_read, report.n_kept, report.n_quarantined, by_code,
            sum(by_code.get(code, 0) for code in ("duplicate_row", "duplicate_key", "superseded")),
            report.first_happened, report.last_happened, n_known, age, stale,
            {
                column: round(share, 4)
                for column, share in sorted(shares.items())
                if 0 < share < 1 or (share == 1 and self._is_given(name, column))
            },
        )  # fmt: skip

    def _is_given(self, name: str, column: str) -> bool:
        """Say whether the settings map a column of a validated table, or the file brought it along."""
        mapped = {ours for part in self._parts(name) for ours in (*part.columns, *part.values)}
        return column.startswith(ATTRIBUTE_PREFIX) or not mapped.isdisjoint(
            {column, column.removesuffix("_at") + "_on"}
        )

    def _parts(self, name: str) -> tuple[Any, ...]:
        return self.config.sources.get(name, ())  # type: ignore[call-overload, no-any-return]

    def customers(self) -> int:
        if not self.has("customers"):
            return 0
        return self.number(
            "select count(distinct customer_key) from customers as c where (joined_at is null or joined_at < $as_of) "
            "and not exists (select 1 from customers as g where g.customer_key = c.customer_key "
            "and g.left_known_at < $as_of and g.left_at < $as_of)"
        )

    def leavers(self) -> int | None:
        if self.config.churn.kind != "cancelled" or not self.has("customers"):
            return None
        return self.number("select count(distinct customer_key) from customers where left_known_at < $as_of")

    def notice(self) -> tuple[float, float] | None:
        """Return the median days that leavings were known ahead, and the share known ahead of the whole window."""
        if self.config.churn.kind != "cancelled" or not self.has("customers"):
            return None
        churn = self.config.churn
        row = self.engine.connection.execute(
            """
            with leavings as (
                select customer_key, left_at, (epoch_us(left_at) - epoch_us(min(left_known_at))) / 86400e6 as days_ahead
                from customers
                where left_known_at < $as_of and left_at < $as_of
                group by customer_key, left_at
            )

            select median(days_ahead), avg((days_ahead > $window)::int)
            from leavings
            """,
            {"as_of": self.as_of.instant, "window": churn.gap_days + churn.horizon_days},
        ).fetchone()
        return None if row is None or row[0] is None else (float(row[0]), float(row[1]))

    def label_count(self) -> int | None:
        if not self.has("labelled"):
            return None
        return self.number("select count(*) from labelled where churned")

    def months(self, sources: tuple[SourceReadiness, ...]) -> float:
        facts = [item for item in sources if item.source not in WITHOUT_FACTS]
        starts = [item.first_happened for item in facts if item.first_happened is not None]
        ends = [
            self.as_of.instant - timedelta(days=item.age_days) for item in facts if item.age_days is not None
        ]
        if not starts or not ends:
            return 0.0
        return round(max(0.0, (max(ends) - min(starts)) / timedelta(days=DAYS_PER_MONTH)), 1)

    def answers(self) -> int:
        if not self.has("surveys"):
            return 0
        return self.number(
            "select count(*) from surveys where score is not null and answer_known_at < $as_of"
        )

    def hubs(self) -> tuple[str, ...]:
        """Say how many customers have more partners than friends; who has few calls is not looked at."""
        if not self.has("calls"):
            return ()
        most = self.config.ties.max_partners
        given = {"since": self.as_of.days_before(TIE_DAYS), "as_of": self.as_of.instant, "most": most}
        row = self.engine.connection.execute(HUBS, given).fetchone()
        n_hubs = int(row[0]) if row else 0
        if not n_hubs:
            return ()
        who = f"{n_hubs} customers talked with more than {most} people in {TIE_DAYS} days"
        return (f"{who}: no social ties, left out of the network ([ties] max_partners).",)

    def matches(self) -> Iterator[Match]:
        if not self.has("customers"):
            return
        if self.has("calls"):
            for side in ("caller", "callee"):
                yield self._match(
                    ("calls", f"{side}s", "that are customers"),
                    f"select count(distinct {side}_key) from calls where {side}_key >= 0",  # noqa: S608
                    f"select count(distinct {side}_key) from calls",  # noqa: S608
                )
            yield self._match(
                ("calls", "calls", "with a customer on both sides"),
                "select count(*) from calls where caller_key >= 0 and callee_key >= 0",
                "select count(*) from calls",
            )
        for name in REFERS_TO_CUSTOMERS:
            # a table may come of the ledger alone, which knows its customers
            if self.has(name) and name in self.loaded.reports:
                report = self.loaded.reports[name]
                unknown = report.by_code().get("unknown_customer", 0)
                yield Match(name, name, "of known customers", report.n_kept, report.n_kept + unknown)
        everyone = "select count(distinct customer_key) from customers"
        for name, with_any in WITH_ANY.items():
            if self.has(name):
                yield self._match((name, "customers", f"with any {CALLED[name]}"), with_any, everyone)

    def _match(self, name: tuple[str, str, str], matched: str, total: str) -> Match:
        return Match(*name, self.number(matched), self.number(total))
