"""Whether ties can be known at all: says, of a date without any usable contact, which table fell silent and what to do.

It decides what counts as silence and its words, the same for every command. It refuses to know what a tie is. Counts
of nothing are 0 only where somebody was in contact: a silent table tells nothing of anybody.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import polars as pl

from churnrisk.dates import AsOf, zone_named
from churnrisk.errors import Fault, SourceMissing

_REFUSED = "only contacts of customers who refuse the use of their calls"


class TiesUnknownWarning(UserWarning):
    """Nobody's ties are known as of the date: the graph has nodes only, and that says nothing of the customers."""


@dataclass(frozen=True)
class Silence:
    """No contact of a customer in the days in which contacts make a tie, as far as calls may be used.

    Attributes
    ----------
    as_of, days
        The date, and how many days up to it make a tie.
    found
        What there is instead, with the date of the last contact.
    remedy
        What to do about it.
    """

    as_of: AsOf
    days: int
    found: str
    remedy: str

    @property
    def expected(self) -> str:
        """What there should have been, with the first day of the window."""
        first = self.as_of.shifted(1 - self.days)
        return f"a contact of a customer in the {self.days} days from {first} to {self.as_of}"

    @property
    def text(self) -> str:
        """One sentence for run_log and terminals."""
        return (
            f"table calls: expected {self.expected}, found {self.found}. Who is tied to whom is unknown, so counts of "
            f"calls, network features, exposures and influence are null, not 0. {self.remedy}"
        )

    @property
    def error(self) -> SourceMissing:
        """For commands that can say nothing without ties."""
        return SourceMissing(Fault("ties_unknown", "table calls", self.expected, self.found, self.remedy))


def calls_missing() -> SourceMissing:
    """Give the error of commands that can say nothing without ties where there is no calls source."""
    return SourceMissing(
        Fault(
            "ties_missing", "the sources", "a calls source", "none", "Add [sources.calls] to churnrisk.toml."
        )
    )


def silence_of(supply: pl.DataFrame, as_of: AsOf, days: int) -> Silence | None:
    """Say why no contact makes a tie; None when some contact of a customer may be used, with whomever it was.

    Parameters
    ----------
    supply : pl.DataFrame
        `call_supply`: is_of_customer, is_permitted, last_at (naive UTC).
    as_of : AsOf
        The date.
    days : int
        Days whose contacts make a tie.
    """
    of_customers = supply.filter("is_of_customer")
    begin = as_of.days_before(days)
    if _last(of_customers.filter("is_permitted")) >= begin:
        return None
    if _last(of_customers) >= begin:
        return Silence(
            as_of,
            days,
            f"{_REFUSED}, the last of {_day(_last(of_customers), as_of)}",
            "Nothing can be said until customers allow it (may_use_calls).",
        )
    last = _last(supply)
    if last >= begin:
        return Silence(
            as_of,
            days,
            f"contacts up to {_day(last, as_of)} whose numbers are no customers'",
            "Compare how ids are written in calls and customers; see id_digits.",
        )
    if last == datetime.min:  # noqa: DTZ901 - all instants are naive UTC
        return Silence(
            as_of, days, "no contact known by then", "Deliver calls, or name a later day with --as-of."
        )
    latest = _local(last, as_of).date() + timedelta(days=days - 1)
    return Silence(
        as_of,
        days,
        f"the last contact on {_day(last, as_of)}",
        f"Deliver newer calls, or name a day up to {latest} with --as-of.",
    )


def _last(supply: pl.DataFrame) -> datetime:
    found = supply["last_at"].max()
    return found if isinstance(found, datetime) else datetime.min  # noqa: DTZ901 - naive UTC, before all


def _local(instant: datetime, as_of: AsOf) -> datetime:
    return instant.replace(tzinfo=UTC).astimezone(zone_named(as_of.zone))


def _day(instant: datetime, as_of: AsOf) -> str:
    return _local(instant, as_of).date().isoformat()
