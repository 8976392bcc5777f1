"""The calendar of learning."""

from datetime import date, datetime

from hypothesis import given
from hypothesis import strategies as st

from churnrisk.config import ChurnSettings, TrainingSettings
from churnrisk.dates import AsOf
from training.snapshots import snapshot_schedule

AS_OF = AsOf(date(2026, 6, 30))


def test_a_schedule_drawn_by_hand() -> None:
    found = snapshot_schedule(
        AS_OF,
        ChurnSettings(gap_days=14, horizon_days=30),
        TrainingSettings(n_snapshots=3, snapshot_every_days=30, test_snapshots=1),
    )
    # 30 June - 44 days = 17 May; the outcomes of 17 April end on 31 May, after 17 May: embargo
    drawn = """
        as_of       use      shipped
        2026-05-17  test     yes
        2026-04-17  embargo  yes
        2026-03-18  train    yes
        2026-02-16  train    no
        2026-01-17  train    no
    """
    lines = [line.split() for line in drawn.strip().splitlines()[1:]]
    assert [[str(s.as_of), s.use, "yes" if s.is_shipped else "no"] for s in found] == lines
    assert (found[0].outcome_from, found[0].outcome_to) == (datetime(2026, 6, 1), datetime(2026, 7, 1))


def test_dates_without_history_fall_out() -> None:
    found = snapshot_schedule(AS_OF, ChurnSettings(), TrainingSettings(), earliest=datetime(2026, 4, 1))
    assert [str(s.as_of) for s in found] == ["2026-05-17", "2026-04-17"]


@given(
    st.integers(0, 60),
    st.integers(1, 200),
    st.integers(1, 90),
    st.integers(1, 12),
    st.integers(1, 4),
    st.sampled_from(["UTC", "Europe/Berlin", "America/St_Johns"]),
    st.booleans(),
)
def test_no_outcome_window_reaches_where_it_must_not(
    gap: int, horizon: int, step: int, n: int, n_test: int, zone: str, is_inactive: bool
) -> None:
    as_of = AsOf(date(2026, 6, 30), zone)
    churn = ChurnSettings(
        kind="inactive" if is_inactive else "cancelled",
        gap_days=gap,
        horizon_days=horizon,
        inactive_days=horizon,
    )
    training = TrainingSettings(n_snapshots=n, snapshot_every_days=step, test_snapshots=n_test)
    found = snapshot_schedule(as_of, churn, training)
    by_use = {use: [s for s in found if s.use == use] for use in ("test", "train", "embargo")}
    first_test = min(s.as_of.instant for s in by_use["test"])
    assert len(by_use["test"]) == n_test
    assert len(by_use["train"]) == n
    assert all(s.outcome_to <= as_of.instant for s in found)
    assert all(s.outcome_to <= first_test for s in by_use["train"])
    assert all(s.outcome_to > first_test for s in by_use["embargo"])
    assert sum(s.is_shipped for s in found) == min(n, len(found))
    # a day later and the newest outcome would not be known
    assert found[0].as_of.shifted(gap + horizon) == as_of
