"""Small random worlds over all sources around one as-of date, as validated tables. It knows no feature."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

import polars as pl
from hypothesis import strategies as st

from churnrisk.dates import AsOf
from tests.spec.features.drawn import KINDS

AS_OF = AsOf(date(2026, 3, 31), "Europe/Berlin")
NOW = AS_OF.instant
N_CUSTOMERS = 8
LATE_KEYS = range(N_CUSTOMERS, N_CUSTOMERS + 3)
"""Customers who come after the as-of date."""

World = dict[str, pl.DataFrame]

KEYS = st.integers(0, N_CUSTOMERS - 1)
PARTNERS = st.integers(-3, N_CUSTOMERS + 2).map(lambda key: key or -9)
HOUR = timedelta(hours=1)

_BEFORE = st.one_of(
    st.integers(1, 24 * 120),
    st.integers(1, 24 * 400),
    st.sampled_from([1, 24 * 7, 24 * 30, 24 * 30 + 1, 24 * 90, 24 * 365]),
)
PAST = _BEFORE.map(lambda hours: NOW - hours * HOUR)
FUTURE = st.integers(0, 24 * 60).map(lambda hours: NOW + hours * HOUR)
SCORES = st.integers(0, 10).map(float)
FLAGS = st.one_of(st.none(), st.booleans())
WAITS = st.one_of(st.none(), st.integers(0, 100_000).map(lambda tenths: tenths / 10))
VALUES = st.one_of(st.integers(-50, 1000).map(float), st.floats(-1e6, 1e6, allow_nan=False, width=32))
WORDS = st.sampled_from(["login", "app_removed", "页面", "ошибка", "n_30d"])
TEXTS = st.one_of(st.none(), st.sampled_from(["1", "2.5", "S", "L", "007"]))


def _known(happened: datetime, delay_hours: int) -> datetime:
    return happened + delay_hours * HOUR


def fact(
    name: str, happened: st.SearchStrategy[datetime], known: st.SearchStrategy[datetime] | None
) -> st.SearchStrategy[dict[str, Any]]:
    """One row of a table of facts; known some time after it happened, or at a time drawn from ``known``."""
    delays = st.sampled_from([0, 1, 30, 24 * 20])
    column = {"calls": "started_at", "surveys": "invited_at", "usage": "period_start"}.get(name, "at")

    def dated(row: dict[str, Any]) -> dict[str, Any]:
        late = row["late"]
        known_at = _known(row[column], row["delay"]) if late is None else max(late, row[column])
        return {**{name: row[name] for name in fields if name not in {"delay", "late"}}, "known_at": known_at}

    fields = {
        **_FIELDS[name],
        column: happened,
        "delay": delays,
        "late": st.none() if known is None else known,
    }
    return st.fixed_dictionaries(fields).map(dated)


_FIELDS: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "calls": {
        "caller_key": KEYS,
        "callee_key": PARTNERS,
        "duration_s": st.one_of(st.none(), st.integers(0, 4000)),
        "is_missed": st.booleans(),
        "kind": st.sampled_from(["voice", "sms", "message"]),
    },
    "surveys": {
        "customer_key": KEYS,
        "metric": st.sampled_from(["nps", "nps", "csat", "ces"]),
        "occasion": st.sampled_from(["relationship", "support"]),
        "answered": st.one_of(st.none(), st.integers(0, 24 * 30)),
        "answer_delay": st.sampled_from([0, 1, 24 * 10]),
        "score": st.one_of(st.none(), SCORES),
        "comment": st.one_of(st.none(), WORDS),
    },
    "interactions": {
        "customer_key": KEYS,
        "topic": st.one_of(st.none(), WORDS),
        "wait_s": WAITS,
        "transfers": st.one_of(st.none(), st.integers(0, 3)),
        "repeated": FLAGS,
        "resolved": FLAGS,
        "abandoned": FLAGS,
    },
    "usage": {"customer_key": KEYS, "metric": st.sampled_from(["minutes", "days_late"]), "value": VALUES},
    "events": {"customer_key": KEYS, "event": WORDS, "value": st.none()},
}
FACTS = tuple(_FIELDS)


def facts(name: str, *, late: bool = False) -> st.SearchStrategy[pl.DataFrame]:
    """A table of facts: any times around the date, or, ``late``, only what became known at or after it."""
    rows = (
        st.one_of(fact(name, FUTURE, None), fact(name, PAST, FUTURE))
        if late
        else fact(name, st.one_of(PAST, PAST, PAST, FUTURE), None)
    )
    return st.lists(rows, max_size=12 if late else 40).map(lambda found: _table(name, found, late=late))


def _table(name: str, rows: list[dict[str, Any]], *, late: bool) -> pl.DataFrame:
    if name == "surveys":
        rows = [_answered(row, late=late) for row in rows]
    if name in {"surveys", "interactions"}:
        key = "invitation_id" if name == "surveys" else "interaction_id"
        rows = [{**row, key: f"{'late' if late else 'row'}{number}"} for number, row in enumerate(rows)]
    if name == "calls":
        rows = [row for row in rows if row["caller_key"] != row["callee_key"]]
    frame = pl.DataFrame([{**dict.fromkeys(KINDS[name]), **row} for row in rows], schema=KINDS[name])
    keys = ["customer_key", "metric", "period_start"] if name == "usage" else frame.columns
    return frame.unique(keys, keep="first", maintain_order=True)


def _answered(row: dict[str, Any], *, late: bool) -> dict[str, Any]:
    after, delay = row["answered"], row["answer_delay"]
    row = {name: value for name, value in row.items() if name not in {"answered", "answer_delay"}}
    if after is None:
        return {**row, "score": None, "comment": None}
    answered_at = row["invited_at"] + after * HOUR
    return {
        **row,
        "answered_at": answered_at,
        "answer_known_at": max(_known(answered_at, delay), row["known_at"] if late else answered_at),
    }


@st.composite
def customers(draw: st.DrawFn) -> pl.DataFrame:
    """Histories of all customers: joined long ago, some left, some refuse the use of calls or answers."""
    rows = []
    for key in range(N_CUSTOMERS):
        begun = draw(st.lists(st.one_of(PAST, FUTURE), min_size=0, max_size=2, unique=True))
        left = draw(st.one_of(st.none(), st.none(), PAST, FUTURE))
        notice = draw(st.sampled_from([0, 24, -24 * 20]))
        refuses = draw(st.integers(0, 9))
        first = NOW - timedelta(days=900)
        for valid_from in (first, *sorted(begun)):
            rows += [
                {
                    **dict.fromkeys(KINDS["customers"]),
                    "customer_key": key,
                    "valid_from": valid_from,
                    "known_at": _known(valid_from, draw(st.sampled_from([0, 24, 24 * 40]))),
                    "joined_at": first,
                    "left_at": left,
                    "left_known_at": None if left is None else left + notice * HOUR,
                    "monthly_value": draw(
                        st.one_of(st.none(), st.integers(0, 9000).map(lambda cents: cents / 100))
                    ),
                    "language": draw(st.sampled_from(["de", "ru", None])),
                    "may_survey": True,
                    "may_contact": True,
                    "may_use_calls": refuses != 0,
                    "may_use_answers": refuses != 1,
                    "attribute_plan": draw(TEXTS),
                    "attribute_size": draw(st.sampled_from(["1", "2", "3.5", None])),
                }
            ]
    schema = {**KINDS["customers"], "attribute_plan": pl.String, "attribute_size": pl.String}
    return pl.DataFrame([{**row, "version": number} for number, row in enumerate(rows)], schema=schema)


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """All sources at once."""
    names = {"customer_key": range(N_CUSTOMERS), "customer_id": [f"c{key}" for key in range(N_CUSTOMERS)]}
    keys = pl.DataFrame(names, schema=KINDS["keys"])
    return {"keys": keys, "customers": draw(customers()), **{name: draw(facts(name)) for name in FACTS}}


@st.composite
def late_news(draw: st.DrawFn) -> World:
    """What became known at the as-of instant or after it: facts, versions, new customers."""
    news: World = {name: draw(facts(name, late=True)) for name in FACTS}
    rows = [
        {
            **dict.fromkeys(KINDS["customers"]),
            "customer_key": key,
            "valid_from": begun,
            "known_at": begun if key in LATE_KEYS else max(begun, draw(FUTURE)),
            "joined_at": begun if key in LATE_KEYS else NOW - timedelta(days=900),
            "left_at": left,
            "left_known_at": None if left is None else max(left, NOW),
            "monthly_value": 1.0,
            **dict.fromkeys(
                ("may_survey", "may_contact", "may_use_calls", "may_use_answers"), draw(st.booleans())
            ),
            "attribute_plan": "not a number",
            "attribute_size": "XXL",
        }
        for key in (*LATE_KEYS, 0, 3)
        for begun in [draw(FUTURE) if key in LATE_KEYS else draw(st.one_of(PAST, FUTURE))]
        for left in [draw(st.one_of(st.none(), PAST if key not in LATE_KEYS else FUTURE))]
    ]
    news["customers"] = pl.DataFrame(
        rows, schema={**KINDS["customers"], "attribute_plan": pl.String, "attribute_size": pl.String}
    )
    names = {"customer_key": list(LATE_KEYS), "customer_id": [f"a{key}" for key in LATE_KEYS]}
    news["keys"] = pl.DataFrame(names, schema=KINDS["keys"])
    return news


def with_news(world: World, news: Mapping[str, pl.DataFrame]) -> World:
    """Add rows and number the versions again, as loading does: by customer and begin."""
    both = {name: pl.concat([frame, news[name]]) for name, frame in world.items()}
    both["usage"] = both["usage"].unique(
        ["customer_key", "metric", "period_start"], keep="first", maintain_order=True
    )
    return {**both, "customers": _numbered(both["customers"])}


def _numbered(versions: pl.DataFrame) -> pl.DataFrame:
    ordered = versions.sort("customer_key", "valid_from", maintain_order=True)
    first = ordered.unique(["customer_key", "valid_from"], keep="first", maintain_order=True)
    return first.with_columns(version=pl.int_range(pl.len(), dtype=pl.Int64))


def without_news(world: World) -> World:
    """Take away every row that became known at the as-of instant or after it; answers known later become silence."""
    kept = {name: frame.filter(pl.col("known_at") < NOW) for name, frame in world.items() if name in FACTS}
    is_late = pl.col("answer_known_at") >= NOW
    unanswered = [
        pl.when(~is_late.fill_null(value=False)).then(pl.col(name)).alias(name)
        for name in ("answered_at", "answer_known_at", "score", "comment")
    ]
    versions = world["customers"]
    left = [
        pl.when(pl.col("left_known_at") < NOW).then(pl.col(name)).alias(name)
        for name in ("left_at", "left_known_at")
    ]
    known = versions.filter(pl.col("known_at") < NOW).with_columns(left)
    return {
        **world,
        **kept,
        "surveys": kept["surveys"].with_columns(unanswered),
        "customers": known.with_columns(version=pl.int_range(pl.len(), dtype=pl.Int64)),
    }


def shuffled(world: World, seed: int) -> World:
    """The same rows in another order."""
    return {name: frame.sample(fraction=1, shuffle=True, seed=seed) for name, frame in world.items()}
