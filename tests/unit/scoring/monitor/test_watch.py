"""A whole night watched: what moved, what it is called, and what should be done."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import polars as pl
import pytest

from churnrisk.config import MonitoringSettings
from churnrisk.errors import GateRefused
from churnrisk.metrics import Interval
from churnrisk.tables.published import MONITORING, MONITORING_WORDS
from scoring.monitor import Matured, Monitored, Watch, monitored, refuse

from .drawn_nights import DAY, NIGHT_BEFORE, before, frame, reference, risks, tonight

SETTINGS = MonitoringSettings()
FACTS = {"calls": 10_100.0, "customers": 800.0}


def usual() -> Watch:
    return Watch(reference(), before(), None, ("calls", "customers"), FACTS, {"auc": Interval(0.7, 0.6, 0.8)})


def row(seen: Monitored, kind: str, baseline: str, name: str) -> dict[str, object]:
    found = seen.frame.filter(
        pl.col("kind") == kind, pl.col("baseline") == baseline, pl.col("name") == name
    ).to_dicts()
    assert len(found) == 1
    return found[0]


def codes(seen: Monitored) -> dict[str, str]:
    return {finding.code: finding.severity for finding in seen.findings}


def test_a_night_like_the_others_has_no_finding() -> None:
    seen = monitored(tonight(), usual(), SETTINGS)
    assert seen.findings == ()
    assert row(seen, "input", "last_night", "n_calls_out_30d")["p_value"] == 1.0
    assert row(seen, "source", "last_night", "calls")["verdict"] == "there"
    assert row(seen, "population", "last_night", "customers")["n"] == 800


def test_the_rows_are_the_published_table() -> None:
    seen = monitored(tonight(), usual(), SETTINGS)
    assert {column.name for column in MONITORING.columns} == {*seen.frame.columns, "as_of", "run_id"}
    for column, words in MONITORING_WORDS.items():
        assert set(seen.frame[column]) <= set(words)
    assert not seen.frame.select("kind", "baseline", "name").is_duplicated().any()


def test_an_input_that_jumped_overnight_points_to_its_source() -> None:
    seen = monitored(tonight(frame(shift=15)), usual(), SETTINGS)
    assert codes(seen)["input_drift"] == "alarm"
    moved = row(seen, "input", "last_night", "n_calls_out_30d")
    assert moved["verdict"] == "strong drift"
    assert str(moved["advice"]).startswith("Look at source calls: a jump from one night to the next")
    since = row(seen, "input", "training", "n_calls_out_30d")
    assert "retrain" in str(since["advice"])
    assert row(seen, "input", "last_night", "attribute_plan")["verdict"] == "steady"


def test_an_input_that_hardly_counts_is_a_note_and_no_warning() -> None:
    heavy = {"n_calls_out_30d": 0.6, "attribute_plan": 0.4}
    for importance, severity in ((heavy, "alarm"), ({"attribute_plan": 1.0}, "note")):
        seen = monitored(tonight(frame(shift=15)), replace(usual(), importance=importance), SETTINGS)
        assert codes(seen)["input_drift"] == severity
        assert bool(seen.warnings) == (severity == "alarm")


def test_values_that_went_missing_are_told_with_both_shares() -> None:
    seen = monitored(tonight(frame(missing=0.4)), usual(), SETTINGS)
    assert codes(seen)["missing_values"] == "alarm"
    found = row(seen, "missing", "last_night", "n_calls_out_30d")
    assert found["expected"] == 0
    assert found["observed"] == pytest.approx(0.4, abs=0.05)
    assert any("n_calls_out_30d 0% to" in finding.sentence for finding in seen.findings)


def test_values_that_are_known_again_are_no_finding() -> None:
    watch = replace(usual(), before=before(frame(missing=0.4)), reference=None)
    assert "missing_values" not in codes(monitored(tonight(), watch, SETTINGS))


def test_risks_that_moved_are_told_with_their_means() -> None:
    seen = monitored(tonight(risk=risks(times=2)), usual(), SETTINGS)
    assert codes(seen)["score_drift"] == "alarm"
    found = row(seen, "score", "last_night", "risk")
    assert found["observed"] == pytest.approx(2 * float(found["expected"]))  # type: ignore[arg-type]


def test_risks_of_another_model_are_not_compared() -> None:
    seen = monitored(tonight(version="4"), usual(), SETTINGS)
    assert seen.frame.filter(pl.col("kind") == "score", pl.col("baseline") == "last_night").is_empty()
    assert any("scored by model version 3, tonight is by 4" in note for note in seen.notes)


@pytest.mark.parametrize(
    ("facts", "code", "verdict"),
    [
        ({"customers": 800.0}, "source_missing", "missing"),
        ({"customers": 800.0, "calls": 0.0}, "source_missing", "missing"),
        ({"customers": 800.0, "calls": 4999.0}, "source_shrunk", "shrunk"),
    ],
)
def test_a_source_that_is_gone_empty_or_shrunk_is_an_alarm(
    facts: dict[str, float], code: str, verdict: str
) -> None:
    seen = monitored(tonight(), replace(usual(), facts=facts), SETTINGS)
    assert codes(seen) == {code: "alarm"}
    found = row(seen, "source", "last_night", "calls")
    assert found["verdict"] == verdict
    assert str(found["advice"]).startswith("Look at source calls")


def test_a_source_of_the_training_is_missed_on_the_first_night_too() -> None:
    watch = replace(usual(), before=None, facts={"customers": 800.0})
    seen = monitored(tonight(), watch, SETTINGS)
    assert row(seen, "source", "training", "calls")["verdict"] == "missing"
    assert any("no earlier published night" in note for note in seen.notes)


def test_half_of_the_customers_gone_is_an_alarm() -> None:
    seen = monitored(tonight(frame(380)), usual(), SETTINGS)
    assert codes(seen)["population_changed"] == "alarm"
    assert row(seen, "population", "last_night", "customers")["observed"] == 380
    assert codes(monitored(tonight(frame(600)), usual(), SETTINGS))["population_changed"] == "warning"


def test_only_alarms_that_the_settings_name_refuse_the_night() -> None:
    seen = monitored(tonight(), replace(usual(), facts={"customers": 800.0}), SETTINGS)
    refuse(seen.findings, MonitoringSettings(refuse_on=("score_drift",)))
    with pytest.raises(GateRefused) as caught:
        refuse(seen.findings, SETTINGS)
    assert caught.value.exit_code == 14
    assert caught.value.codes == ("source_missing",)
    assert "Look at source calls" in caught.value.faults[0].remedy
    moved = monitored(tonight(frame(shift=15)), usual(), SETTINGS)
    refuse(moved.findings, SETTINGS)
    with pytest.raises(GateRefused):
        refuse(moved.findings, MonitoringSettings(refuse_on=("input_drift",)))


def test_without_anything_to_compare_with_it_says_so_and_judges_nothing() -> None:
    seen = monitored(tonight(), Watch(), SETTINGS)
    assert seen.findings == ()
    assert len(seen.notes) == 3
    assert set(seen.frame["kind"]) == {"performance"}
    assert set(seen.frame["verdict"]) == {"not judged"}


def test_a_promise_below_the_test_asks_for_retraining() -> None:
    watch = replace(usual(), tested={"auc": Interval(0.9, 0.88, 0.92)})
    seen = monitored(tonight(), watch, SETTINGS)
    assert row(seen, "performance", "test", "auc")["verdict"] == "below"
    assert codes(seen)["performance_drop"] == "alarm"
    assert any(finding.advice.startswith("Retrain") for finding in seen.findings)


def matured(times: float, n: int = 20_000) -> Matured:
    """Predictions whose odds are too high by a factor."""
    rng = np.random.default_rng(5)
    truth = rng.beta(1, 20, n)
    return Matured(
        pl.DataFrame(
            {
                "risk": times * truth / (1 - truth + times * truth),
                "band": np.where(truth < 0.05, "low", "high"),
                "left": (rng.random(n) < truth).astype(np.int8),
                "weight": np.ones(n),
                "is_control": np.zeros(n, dtype=bool),
            }
        ),
        (date(2026, 5, 10), date(2026, 4, 10)),
        "3",
        n_treated=12,
        knows_treatments=True,
    )


def test_risks_that_came_true_leave_the_promise_valid() -> None:
    seen = monitored(tonight(), replace(usual(), matured=matured(1.0)), SETTINGS)
    assert seen.findings == ()
    assert row(seen, "calibration", "outcomes", "all")["baseline_on"] == date(2026, 5, 10)
    assert row(seen, "performance", "test", "auc")["verdict"] != "not valid"
    assert any(
        "2 nights from 2026-04-10 to 2026-05-10" in note and "12 customers" in note for note in seen.notes
    )


def test_risks_that_were_too_high_ask_for_recalibration_and_void_the_promise() -> None:
    seen = monitored(tonight(), replace(usual(), matured=matured(2.0)), SETTINGS)
    assert codes(seen)["miscalibrated"] == "alarm"
    assert [f.advice.split()[0] for f in seen.findings if f.code == "miscalibrated"] == ["Recalibrate"]
    assert row(seen, "performance", "test", "auc")["verdict"] == "not valid"


def test_good_work_without_a_treatments_source_is_not_blamed_on_the_model_unsaid() -> None:
    seen = monitored(
        tonight(), replace(usual(), matured=replace(matured(1.0), knows_treatments=False)), SETTINGS
    )
    assert any("There is no treatments source" in note for note in seen.notes)


def test_the_same_night_twice_gives_the_same_rows_in_the_same_order() -> None:
    given = tonight(frame(seed=2))
    first, again = (monitored(given, usual(), SETTINGS).frame for _ in range(2))
    assert first.equals(again, null_equal=True)


def test_bins_of_both_nights_serve_where_a_model_has_no_reference() -> None:
    seen = monitored(tonight(frame(shift=15)), replace(usual(), reference=None), SETTINGS)
    assert row(seen, "input", "last_night", "n_calls_out_30d")["verdict"] == "strong drift"
    assert any("before references were kept" in note for note in seen.notes)
    assert seen.frame.filter(pl.col("baseline") == "training").is_empty()


def test_only_customers_of_both_nights_are_paired_whatever_their_order() -> None:
    shuffled = frame(700).sample(fraction=1.0, shuffle=True, seed=3)
    watch = replace(usual(), before=before(shuffled, risks(700)))
    seen = monitored(tonight(), watch, SETTINGS)
    found = row(seen, "input", "last_night", "attribute_plan")
    assert (found["n"], found["n_before"], found["baseline_on"]) == (700, 700, NIGHT_BEFORE)
    assert DAY > NIGHT_BEFORE
