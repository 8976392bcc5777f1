"""What another window of scores would have raised."""

from __future__ import annotations

from datetime import date, datetime

import polars as pl

from scoring.asking import alert_counts, is_alert

ANSWERS = pl.DataFrame(
    {
        "metric": ["nps", "nps", "nps", "csat", "nps", "nps"],
        "score": [0, 5, 9, 1, 4, None],
        "answered_at": [datetime(2026, 1, day) for day in (1, 31, 5, 6)] + [datetime(2026, 3, 1)] * 2,
        "comment": ["bad", None, "good", "x", "  ", None],
    }
)


def test_months_are_counted_against_the_present_window() -> None:
    found = alert_counts(ANSWERS, (0, 4), (0, 6))
    assert found.to_dicts() == [
        {
            "month": date(2026, 1, 1),
            "n_answers": 3,
            "n_present": 2,
            "n_window": 1,
            "n_added": 0,
            "n_dropped": 1,
            "n_commented": 1,
        },
        {
            "month": date(2026, 3, 1),
            "n_answers": 1,
            "n_present": 1,
            "n_window": 1,
            "n_added": 0,
            "n_dropped": 0,
            "n_commented": 0,
        },
    ]


def test_a_wider_window_only_adds() -> None:
    found = alert_counts(ANSWERS, (0, 10), (0, 4))
    assert (found["n_added"].sum(), found["n_dropped"].sum()) == (2, 0)


def test_ends_belong_to_the_window_and_other_metrics_never_alert() -> None:
    assert ANSWERS.select(is_alert((4, 5))).to_series().to_list() == [False, True, False, False, True, False]
    assert alert_counts(ANSWERS.clear(), (0, 4), (0, 6)).is_empty()
