"""Past treatments as rows: looked at before the treatment, never after, and only when the outcome is known."""

from datetime import date, datetime
from pathlib import Path

import numpy as np
import pytest

from churnrisk.config import Config
from churnrisk.dates import AsOf
from churnrisk.store import Engine
from tests.spec.features.drawn import lake_of
from training.uplift.past import MOST_DATES, PastTreatments, look_dates, past_treatments

CUSTOMERS = """
customer_key | valid_from | joined_at | left_at | left_known_at | monthly_value
0 | 2024-01-01 | 2024-01-01 | | | 10
1 | 2024-01-01 | 2024-01-01 | 2026-03-20 | 2026-03-20 | 20
2 | 2024-01-01 | 2024-01-01 | | | 30
3 | 2024-01-01 | 2024-01-01 | 2026-03-20 | 2026-03-01 | 40
"""
TREATMENTS = """
treatment_id | customer_key | at | offer_id | propensity | accepted | root_cause | known_at
a | 0 | 2026-03-05 10:00 | discount | 0.9 | yes | price | 2026-03-05 10:00
b | 1 | 2026-03-06 10:00 | control | 0.1 | | | 2026-03-06 10:00
c | 2 | 2026-06-20 10:00 | discount | 0.9 | | | 2026-06-20 10:00
d | 3 | 2026-03-06 10:00 | discount | 0.9 | | | 2026-03-06 10:00
"""
USAGE = """
customer_key | period_start | metric | value | known_at
0 | 2026-02-01 | minutes | 5 | 2026-02-02
0 | 2026-03-04 | minutes | 7 | 2026-03-04
0 | 2026-03-05 | minutes | 900 | 2026-03-05
1 | 2026-03-05 | minutes | 3 | 2026-03-05
1 | 2026-03-06 | minutes | 800 | 2026-03-06
"""


def found_in(folder: Path, *, kind: str = "cancelled", usage: str = USAGE, **tables: str) -> PastTreatments:
    drawn = {
        "customers": CUSTOMERS.strip(),
        "treatments": TREATMENTS.strip(),
        "usage": usage.strip(),
        **tables,
    }
    lake = lake_of(folder, {name: text for name, text in drawn.items() if text})
    config = Config.model_validate({"churn": {"kind": kind, "gap_days": 14, "horizon_days": 30}})
    with Engine(threads=1) as engine:
        lake.register(engine)
        return past_treatments(engine, lake, config, AsOf(date(2026, 6, 30)))


def test_only_mature_treatments_of_those_not_in_notice_become_rows(tmp_path: Path) -> None:
    found = found_in(tmp_path)
    assert found.rows is not None
    assert found.table.select("treatment_id", "customer_id", "looked_on", "root_cause").sort(
        "treatment_id"
    ).rows() == [
        ("a", "c0", "2026-03-04", "price"),
        ("b", "c1", "2026-03-05", None),
    ]
    order = np.argsort(found.table["treatment_id"].to_numpy())
    assert found.rows.arms == ("control", "discount")
    assert found.rows.arm[order].tolist() == [1, 0]
    assert found.rows.stayed[order].tolist() == [1.0, 0.0]
    assert found.rows.propensity[order].tolist() == [0.9, 0.1]
    assert found.window_days == 44
    assert any("in notice" in note for note in found.notes)


def test_of_controls_the_offer_they_would_have_been_made_comes_along(tmp_path: Path) -> None:
    head, *lines = TREATMENTS.strip().splitlines()
    told = "\n".join(
        [f"{head} | instead_of", *(f"{line} | {'call' if 'control' in line else ''}" for line in lines)]
    )
    found = found_in(tmp_path, treatments=told)
    assert found.table.select("treatment_id", "instead_of").sort("treatment_id").rows() == [
        ("a", None),
        ("b", "call"),
    ]
    assert found.rows is not None
    assert found.rows.lot is not None
    order = np.argsort(found.table["treatment_id"].to_numpy())
    assert found.rows.lot.instead_of[order].tolist() == [None, "call"]
    assert found.rows.lot.at[order].astype("datetime64[D]").astype(str).tolist() == [
        "2026-03-05",
        "2026-03-06",
    ]
    # an offer that nobody was made is no arm
    assert found.rows.arms == ("control", "discount")


def test_nothing_known_after_the_look_changes_a_row(tmp_path: Path) -> None:
    with_later = found_in(tmp_path / "a").rows
    kept = [line for line in USAGE.strip().splitlines() if "900" not in line and "800" not in line]
    without = found_in(tmp_path / "b", usage="\n".join(kept)).rows
    assert with_later is not None
    assert without is not None
    assert with_later.frame.equals(without.frame)


@pytest.mark.parametrize("kind", ["inactive", "label"])
def test_other_kinds_of_churn_say_that_they_are_not_learned_from(tmp_path: Path, kind: str) -> None:
    found = found_in(tmp_path, kind=kind)
    assert found.rows is None
    assert kind in found.notes[0]


def test_without_treatments_there_is_nothing_and_it_says_so(tmp_path: Path) -> None:
    assert found_in(tmp_path, treatments="").notes == ("no treatments are recorded",)


def test_looks_are_the_nights_before_and_spread_out_when_there_are_many() -> None:
    assert [str(each) for each in look_dates([datetime(2026, 3, 5)], "UTC")] == ["2026-03-04"]
    assert [str(each) for each in look_dates([datetime(2026, 3, 5, 2)], "Asia/Shanghai")] == ["2026-03-04"]
    many = [datetime(2026, 1 + month, day) for month in range(3) for day in range(1, 29)]
    looks = look_dates(many, "UTC")
    assert len(looks) == MOST_DATES
    assert (str(looks[0]), str(looks[-1])) == ("2025-12-31", "2026-03-27")
    assert looks == sorted(looks)
