"""Tells whether the sources are fit for a night and for training: counts, periods, freshness, matches, verdict.

It decides what is enough to learn from and says what to do when it is not; it refuses to change anything. Counts,
column names and dates only: no value of a person leaves it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, TypeVar

import polars as pl

from ..config import Config
from ..dates import AsOf
from ..errors import Fault, SourceMissing
from ..store import Engine
from ..tables.contracts import REFERS_TO_CUSTOMERS
from ..tables.lake import ATTRIBUTE_PREFIX
from .beginning import before_data
from .loading import LoadedSources
from .reports import SourceReport

LEAST_LEAVERS = 50
"""Fewer leavers than this give no calibrated model (science 6: prior and Platt below 50). """

GOOD_LEAVERS = 200
"""Below it a plain regularised model is used, and intervals are wide (science 6)."""

LEAST_MONTHS = 3
"""Observation, gap and outcome of one snapshot, and one more to test on. A judgement."""

LEAST_ANSWERS = 100
"""Fewer answers than this tell little: +-20 points of NPS. A judgement."""

LEAST_MATCH = 0.5
"""A share of matching ids below it is usually a mapping mistake (leading zeros, another numbering). A judgement."""

MANY_NULLS = 0.9
"""An attribute with more nulls than this is remarked on. A judgement."""

TOLD_NULLS = 0.005
"""Shares of nulls below it are not shown on a terminal: they would read 0 %."""

OLD_DAYS = 35
"""Without max_age_days, a newest fact older than this is remarked on: a monthly delivery did not come. A judgement."""

WITHOUT_FACTS = frozenset({"customers", "offers", "labelled"})
"""Sources that say who or what there is, not what happened when."""

DAYS_PER_MONTH = 30.44

Verdict = Literal["ok", "warn", "not enough"]

Line = TypeVar("Line")


@dataclass(frozen=True)
class SourceReadiness:
    """One source as of a date."""

    source: str
    n_read: int
    n_kept: int
    n_quarantined: int
    faults: Mapping[str, int]
    n_duplicates: int
    first_happened: datetime | None
    last_happened: datetime | None
    n_known: int | None
    """Facts known as of the date; null for tables without dates."""
    age_days: float | None
    """From the newest known fact to the as-of instant."""
    is_stale: bool
    null_shares: Mapping[str, float]
    """Per column with nulls, by name; columns that are wholly empty and that nobody mapped are left out."""


@dataclass(frozen=True)
class Match:
    """Which share of one thing is found in another, e.g. ``callers`` of whom a share ``are customers``."""

    source: str
    subject: str
    claim: str
    n_matched: int
    n_total: int

    @property
    def name(self) -> str:
        """Subject and claim in one phrase."""
        return f"{self.subject} {self.claim}"

    @property
    def share(self) -> float | None:
        """The share, null when there is nothing to match."""
        return self.n_matched / self.n_total if self.n_total else None


@dataclass(frozen=True)
class Remark:
    """Something to know, and what to do about it."""

    code: str
    level: Verdict
    text: str
    remedy: str


@dataclass(frozen=True)
class Readiness:
    """The answer of ``churnrisk check``."""

    as_of: str
    verdict: Verdict
    sources: tuple[SourceReadiness, ...]
    matches: tuple[Match, ...]
    n_customers: int
    """Customers who had come and not left, as known at the date."""
    n_leavers: int | None
    """Customers whose leaving was known at the date; null where churn is not told by left_on or a label."""
    n_months: float
    n_answers: int
    remarks: tuple[Remark, ...] = ()
    notes: tuple[str, ...] = ()
    """What loading remarked on."""
    publishes_despite_stale: bool = False

    @property
    def warnings(self) -> tuple[str, ...]:
        """The remarks as sentences."""
        return tuple(remark.text for remark in self.remarks)

    def refuse_stale(self) -> None:
        """Raise SourceMissing when a source is older than its ``max_age_days`` and the settings do not go on."""
        stale = [item for item in self.sources if item.is_stale]
        if not stale or self.publishes_despite_stale:
            return
        raise SourceMissing(
            Fault(
                "stale",
                f"source {item.source}",
                "a newest fact within max_age_days",
                "no fact known" if item.age_days is None else f"one {item.age_days:g} days old",
                "Deliver newer data, or set [quality] publish_despite_stale = true to go on with a warning.",
            )
            for item in stale
        )

    def source_lines(self, make: Callable[..., Line]) -> tuple[Line, ...]:
        """Return one ``make(...)`` per source, for pages that show them."""
        return tuple(
            make(
                name=item.source,
                n_read=item.n_read,
                n_kept=item.n_kept,
                n_quarantined=item.n_quarantined,
                faults=item.faults,
                first_happened=item.first_happened,
                last_happened=item.last_happened,
                age_days=item.age_days,
                is_stale=item.is_stale,
                match_rates={
                    match.name: match.share
                    for match in self.matches
                    if match.source == item.source and match.share is not None
                },
            )
            for item in self.sources
        )

    def text(self) -> str:
        """Say everything in lines for a terminal."""
        lines = [f"Sources as of {self.as_of}: {self.verdict}."]
        lines += [line for item in self.sources for line in _source_text(item)]
        lines += [
            f"  {match.name}: {match.n_matched:,} of {match.n_total:,} ({match.share:.1%})"
            for match in self.matches
            if match.share is not None
        ]
        gone = "" if self.n_leavers is None else f", {self.n_leavers:,} known to have left"
        dated = any(item.source not in WITHOUT_FACTS for item in self.sources)
        facts = f"{_count(self.n_months, 'month')} of facts" if dated else "no dated facts"
        lines.append(
            f"To learn from: {_count(self.n_customers, 'customer')}{gone}, {facts}, "
            f"{_count(self.n_answers, 'answer')}."
        )
        lines += [f"  warn: {note}" for note in self.notes]
        lines += [f"  {remark.level}: {remark.text} {remark.remedy}" for remark in self.remarks]
        return "\n".join(lines)

    def as_dict(self) -> dict[str, Any]:
        """Give everything as plain values for ``--json``."""
        plain = asdict(self)
        plain["matches"] = [
            {"name": match.name, **asdict(match), "share": match.share} for match in self.matches
        ]
        for source in plain["sources"]:
            for name in ("first_happened", "last_happened"):
                source[name] = source[name].isoformat() if source[name] else None
        return plain

    def source_table(self) -> pl.DataFrame:
        """Return one row per source, for printing."""
        rows = [
            {
                "source": item.source,
                "read": item.n_read,
                "kept": item.n_kept,
                "quarantined": item.n_quarantined,
                "duplicates": item.n_duplicates,
                "from": item.first_happened.date() if item.first_happened else None,
                "to": item.last_happened.date() if item.last_happened else None,
                "age_days": item.age_days,
                "stale": item.is_stale,
                "reasons": ", ".join(f"{count} {code}" for code, count in item.faults.items()),
            }
            for item in self.sources
        ]
        return pl.DataFrame(rows, infer_schema_length=None)

    def match_table(self) -> pl.DataFrame:
        """Return one row per match rate, for printing."""
        kinds = {"match": pl.String, "matched": pl.Int64, "of": pl.Int64, "share": pl.Float64}
        rows = [(match.name, match.n_matched, match.n_total, match.share) for match in self.matches]
        return pl.DataFrame(rows, schema=kinds, orient="row")


def readiness(loaded: LoadedSources, engine: Engine, config: Config, as_of: AsOf) -> Readiness:
    """Judge loaded sources as of a date."""
    for name, path in loaded.tables.paths.items():
        engine.register(name, path)
    counted = _Counts(loaded, engine, config, as_of)
    sources = tuple(counted.source(report) for report in loaded.reports.values())
    dated = any(item.source not in WITHOUT_FACTS for item in sources)
    n_customers, n_leavers = counted.customers(), counted.leavers()
    n_months, n_answers = counted.months(sources), counted.answers()
    matches = tuple(counted.matches())
    remarks = (
        *_begun(loaded, as_of),
        *_enough(config, n_leavers, n_months if dated else None, counted.label_count()),
        *_answers(loaded, n_answers),
        *_matching(matches),
        *_states(sources, loaded),
        *_dates(sources, config, as_of),
    )
    hubs = counted.hubs()
    for name in loaded.tables.paths:
        engine.drop(name)
    levels = {remark.level for remark in remarks}
    verdict: Verdict = (
        "not enough" if "not enough" in levels else "warn" if levels or loaded.warnings else "ok"
    )
    return Readiness(
        str(as_of),
        verdict,
        sources,
        matches,
        n_customers,
        n_leavers,
        n_months,
        n_answers,
        remarks,
        (*loaded.warnings, *hubs),
        config.quality.publish_despite_stale,
    )


@dataclass
class _Counts:
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
            if self.has(name):
                report = self.loaded.reports[name]
                unknown = report.by_code().get("unknown_customer", 0)
                yield Match(name, name, "of known customers", report.n_kept, report.n_kept + unknown)
        everyone = "select count(distinct customer_key) from customers"
        for name, with_any in WITH_ANY.items():
            if self.has(name):
                yield self._match((name, "customers", f"with any {CALLED[name]}"), with_any, everyone)

    def _match(self, name: tuple[str, str, str], matched: str, total: str) -> Match:
        return Match(*name, self.number(matched), self.number(total))


TIE_DAYS = 90
"""Days in which the partners of a customer are counted here, as for ties."""

TIES_UNKNOWN = "ties_unknown"
"""Code of the remark that no contact makes a tie; a night says it in more words, as building features finds it."""

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


def _count(number: float, noun: str) -> str:
    """Say how many, in the plural unless there is one.

    >>> _count(1, "row"), _count(1200, "row"), _count(0.5, "month")
    ('1 row', '1,200 rows', '0.5 months')
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}".replace(".0 ", " ")


def _source_text(item: SourceReadiness) -> Iterator[str]:
    first, last = (day.date().isoformat() if day else "" for day in (item.first_happened, item.last_happened))
    period = f", {first} to {last}" if first else ""
    age = f", newest {item.age_days:g} days old" if item.age_days is not None else ""
    stale = " (stale)" if item.is_stale else ""
    yield (
        f"{item.source}: {_count(item.n_read, 'row')} read, {item.n_kept:,} kept, {item.n_quarantined:,} in "
        f"quarantine, {_count(item.n_duplicates, 'duplicate')}{period}{age}{stale}"
    )
    for code, count in item.faults.items():
        yield f"  {count:,} {code}"
    empty = [f"{name} {share:.0%}" for name, share in item.null_shares.items() if share >= TOLD_NULLS]
    if empty:
        yield f"  empty: {', '.join(empty)}"


def _begun(loaded: LoadedSources, as_of: AsOf) -> Iterator[Remark]:
    fault = before_data(loaded, as_of)
    if fault is not None:
        begun = ", ".join(fault.available)
        yield Remark(fault.code, "not enough", f"Nothing had happened yet by {as_of}: {begun}.", fault.remedy)


def _enough(
    config: Config, n_leavers: int | None, n_months: float | None, n_labels: int | None
) -> Iterator[Remark]:
    counted = n_labels if n_labels is not None else n_leavers
    if counted is not None and counted < GOOD_LEAVERS:
        level: Verdict = "not enough" if counted < LEAST_LEAVERS else "warn"
        yield Remark(
            "few_leavers",
            level,
            f"{_count(counted, 'leaver')}; {LEAST_LEAVERS} are the least, "
            f"{GOOD_LEAVERS} make a model with usable intervals.",
            "Give a longer history of left_on, a labelled extract, or churn by inactivity ([churn] kind).",
        )
    window = config.churn.gap_days + max(
        config.churn.horizon_days, config.churn.inactive_days if config.churn.kind == "inactive" else 0
    )
    if (
        n_labels is None
        and n_months is not None
        and n_months * DAYS_PER_MONTH < min(LEAST_MONTHS * DAYS_PER_MONTH, 2 * window + window)
    ):
        yield Remark(
            "short_history",
            "warn",
            f"{_count(n_months, 'month')} of facts; {LEAST_MONTHS} are the least for a test out of time.",
            "Load older files, or shorten horizon_days and gap_days.",
        )


def _answers(loaded: LoadedSources, n_answers: int) -> Iterator[Remark]:
    if loaded.tables.has("surveys") and n_answers < LEAST_ANSWERS:
        yield Remark(
            "few_answers",
            "warn",
            f"{_count(n_answers, 'survey answer')}; under {LEAST_ANSWERS} they tell little.",
            "Load older waves; the model works without them meanwhile.",
        )


def _matching(matches: tuple[Match, ...]) -> Iterator[Remark]:
    for match in matches:
        if match.share is not None and match.share < LEAST_MATCH and "known customers" in match.name:
            yield Remark(
                "low_match",
                "warn",
                f"{match.name}: {match.share:.0%} of {match.n_total}.",
                "Compare how ids are written; id_digits pads ids that one source wrote as numbers.",
            )
    callers = next((match for match in matches if match.name == "callers that are customers"), None)
    if callers is not None and callers.n_matched == 0 and callers.n_total:
        yield Remark(
            "no_match",
            "not enough",
            "No caller is a customer.",
            "Compare how ids are written in calls and customers; see id_digits.",
        )


def _states(sources: tuple[SourceReadiness, ...], loaded: LoadedSources) -> Iterator[Remark]:
    for item in sources:
        if item.is_stale:
            yield Remark(
                "stale", "warn", f"{item.source} is older than its max_age_days.", "Deliver newer data."
            )
        if loaded.reports[item.source].bad_share > 0:
            yield Remark(
                "rejected_rows",
                "warn",
                f"{item.source}: {item.n_quarantined} of {_count(item.n_read, 'row')} in quarantine.",
                f"Look at {loaded.quarantine[item.source]}.",
            )
        empty = [
            name
            for name, share in item.null_shares.items()
            if share > MANY_NULLS and name.startswith("attribute_")
        ]
        if empty:
            yield Remark(
                "empty_attributes",
                "warn",
                f"{item.source}: more than {MANY_NULLS:.0%} empty: {', '.join(empty)}.",
                "Exclude them, or declare in missing what their values mean.",
            )


def _dates(sources: tuple[SourceReadiness, ...], config: Config, as_of: AsOf) -> Iterator[Remark]:
    """Remark on sources that ended long ago, and on facts of days to come.

    Facts of the day after are usual: a delivery of today is looked at as of yesterday.
    """
    tie_days = TIE_DAYS + (config.churn.inactive_days if config.churn.kind == "inactive" else 0)
    for item in sources:
        if item.source not in HAPPENED:
            continue
        if item.source == "calls" and (item.age_days is None or item.age_days > tie_days):
            yield Remark(
                TIES_UNKNOWN,
                "warn",
                f"calls: no contact known in the {tie_days} days before the end of {as_of}: ties, exposures and "
                "influence are unknown, not 0.",
                "Deliver newer calls, or name the day that is meant with --as-of.",
            )
        parts = config.sources.get(item.source, ())  # type: ignore[call-overload]
        is_limited = any(part.max_age_days is not None for part in parts)
        if not is_limited and item.age_days is not None and item.age_days > OLD_DAYS:
            yield Remark(
                "old",
                "warn",
                f"{item.source}: the newest fact known on {as_of} is {item.age_days:g} days old.",
                "Deliver newer data, name the day that is meant with --as-of, or say in max_age_days what is old.",
            )
        if item.last_happened is not None and item.last_happened >= as_of.shifted(1).instant:
            yield Remark(
                "ahead",
                "warn",
                f"{item.source}: facts up to {item.last_happened.date()} lie after {as_of} and are not used.",
                "Name the day that is meant with --as-of; facts of days to come have wrong dates or a wrong zone.",
            )
