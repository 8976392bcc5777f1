"""The calendar of learning: at which past dates customers are looked at, and which of them test the model.

It decides dates only, and refuses to know tables. Science: section 5.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from churnrisk.config import ChurnSettings, TrainingSettings
from churnrisk.dates import AsOf

Use = Literal["test", "train", "embargo"]


@dataclass(frozen=True)
class Snapshot:
    """One past as-of date with its outcome window ``[outcome_from, outcome_to)``.

    ``use`` says what evaluation does with it: test (out of time), train, or embargo (its outcomes reach past the
    first test date, so it is used by the shipped model only). ``is_shipped``: the shipped model learns from it.
    """

    as_of: AsOf
    outcome_from: datetime
    outcome_to: datetime
    use: Use
    is_shipped: bool

    def parameters(self, known_by: AsOf) -> Mapping[str, object]:
        """Return the SQL parameters of its labels, with facts known by ``known_by``."""
        return {
            "as_of": self.as_of.instant,
            "outcome_from": self.outcome_from,
            "outcome_to": self.outcome_to,
            "known_by": known_by.instant,
        }


def outcome_days(churn: ChurnSettings) -> int:
    """Return the length of the outcome window: for churn by inactivity, the days of silence themselves."""
    return churn.inactive_days if churn.kind == "inactive" else churn.horizon_days


def snapshot_schedule(
    as_of: AsOf, churn: ChurnSettings, training: TrainingSettings, *, earliest: datetime | None = None
) -> tuple[Snapshot, ...]:
    """Return the snapshots to learn from as of ``as_of``, latest first.

    The latest is the last date whose outcome window has ended by ``as_of``; the others precede it by multiples of
    ``snapshot_every_days``. The newest ``test_snapshots`` test; those whose outcome window ends by the first test
    date train, at most ``n_snapshots``; between the two lies the embargo, so no training outcome window reaches past
    the as-of instant of a test. The shipped model learns from the newest ``n_snapshots`` of all.

    ``earliest`` drops dates before it (no history to look back on).
    """
    reach = churn.gap_days + outcome_days(churn)
    step = training.snapshot_every_days
    newest = as_of.shifted(-reach)
    first_test = newest.shifted(-step * (training.test_snapshots - 1))
    n_embargo = -(-reach // step) - 1
    n_all = training.test_snapshots + n_embargo + training.n_snapshots
    found: list[Snapshot] = []
    for position in range(n_all):
        day = newest.shifted(-step * position)
        if earliest is not None and day.instant < earliest:
            break
        window = (day.days_before(-churn.gap_days), day.days_before(-reach))
        use: Use = "train" if window[1] <= first_test.instant else "embargo"
        if position < training.test_snapshots:
            use = "test"
        found.append(Snapshot(day, *window, use, position < training.n_snapshots))
    return tuple(found)
