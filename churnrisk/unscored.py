"""The error for a customer who is asked about and was not scored: what to do depends on whether we know them."""

from __future__ import annotations

from .dates import AsOf
from .errors import Fault, UsageError


def not_scored(as_of: AsOf, *, is_known: bool) -> UsageError:
    """Return the error for a customer who is known but was not scored on the day, or is not known at all."""
    return UsageError(
        Fault(
            code="customer_not_scored",
            where="CUSTOMER",
            expected=f"a customer as of {as_of} who has not left and is not in notice",
            found="one who had left, was in notice or no longer active" if is_known else "none with this id",
            remedy="Choose an earlier day with --as-of."
            if is_known
            else "Check the id (ids are text: 00123 is not 123) and --as-of.",
        )
    )
