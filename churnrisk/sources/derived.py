"""Queries that make one table out of another: customers from whoever appears, usage by metric, columns for lists.

It refuses to know where the rows came from; whatever is a person's column name is quoted as an identifier.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from ..store.engine import quoted
from .knowledge import ALWAYS

CUSTOMERS_FROM_CALLS = """
with appearances_of_both as (
    select caller_id as customer_id, started_at, known_at from appearances
    union all
    select callee_id as customer_id, started_at, known_at from appearances
)

select
    customer_id,
    min(started_at) as joined_on,
    min(known_at) as known_at
from appearances_of_both
group by customer_id
order by customer_id
"""

EMPTY = {
    "valid_from": "timestamp", "joined_on": "timestamp", "left_on": "timestamp", "left_known_at": "timestamp",
    "left_reason": "varchar", "monthly_value": "double", "language": "varchar", "may_survey": "boolean",
    "may_contact": "boolean", "may_use_calls": "boolean", "may_use_answers": "boolean",
}  # fmt: skip


def _completed(query: str, given: Sequence[str], attributes: Sequence[str]) -> str:
    nothing = [f"cast(null as {kind}) as {name}" for name, kind in EMPTY.items() if name not in given]
    passed = [quoted(f"attribute_{name}") for name in attributes]
    columns = ", ".join(["customer_id", "known_at", *given, *nothing, *passed])
    return f"select {columns}, 0 as _file, row_number() over (order by customer_id, known_at) as _row from ({query})"  # noqa: S608


def _from_calls(attributes: Sequence[str]) -> str:
    return _completed(CUSTOMERS_FROM_CALLS, ("joined_on",), attributes)


def _from_labelled(attributes: Sequence[str]) -> str:
    """Customers of a labelled extract: those who left count as gone at any date, since none is given."""
    passed = "".join(f", {quoted(f'attribute_{name}')}" for name in attributes)
    known = f"coalesce(observed_at, timestamp '{ALWAYS}')"
    query = (
        f"select customer_id, {known} as known_at, case when churned then {known} end as left_on, "  # noqa: S608
        f"case when churned then {known} end as left_known_at{passed} from appearances where customer_id is not null"
    )
    return _completed(query, ("left_on", "left_known_at"), attributes)


CUSTOMERS_FROM: dict[str, Callable[[Sequence[str]], str]] = {"calls": _from_calls, "labelled": _from_labelled}
"""Query of customers by the source they are taken from, given the names of attributes."""

USAGE_LONG = """
with long as (
    unpivot wide on columns('^metric_') into name metric value value
)

select
    customer_key,
    period_start,
    min(known_at) as known_at,
    substr(metric, length('metric_') + 1) as metric,
    arg_min(value, struct_pack(known := known_at, value := value)) as value
from long
group by customer_key, period_start, metric
order by customer_key, period_start, metric
"""
"""One row per customer, period and metric; files that tell the same metric twice: the earliest known counts."""


def carry_query(shown: Mapping[str, str]) -> str:
    """Return the query of the latest known value of each column that lists show."""
    latest = ", ".join(
        f"arg_max(s.{quoted(column)}, struct_pack(known := s.known_at, begins := s.valid_from, value := "
        f"s.{quoted(column)})) as {quoted(name)}"
        for name, column in shown.items()
    )
    return (
        f"select r.customer_key, {latest} from staged as s "  # noqa: S608 - identifiers are quoted
        "inner join roster as r on r.customer_id = s.customer_id group by r.customer_key order by r.customer_key"
    )
