"""The challenger's risks stand beside the champion's, and a night never fails for it."""

from dataclasses import replace
from datetime import date

import polars as pl
import pytest

from churnrisk.bundle import Bundle
from churnrisk.dates import AsOf
from churnrisk.store.audits import audit
from churnrisk.tables.published import RULES
from scoring import shadow_scores
from tests.drawn_models import drawn_bundle

DAY = AsOf(date(2026, 6, 30))
FRAME = pl.DataFrame(
    {"customer_key": [1, 2], "customer_id": ["a", "b"], "tenure_days": [1.0, None], "wait_s": [1, 2]}
)


def beside(challenger: Bundle, frame: pl.DataFrame = FRAME) -> tuple[pl.DataFrame | None, str]:
    return shadow_scores(frame, challenger, drawn_bundle(), as_of=DAY, run_id="r")


def test_the_table_holds_the_challengers_own_risks_and_passes_the_audit() -> None:
    challenger = drawn_bundle(wait_s="service").with_version("8")
    found, note = beside(challenger)
    assert found is not None
    assert note == ""
    assert found["risk"].to_list() == challenger.predict(FRAME, allow_extra=True)["risk"].to_list()
    assert found["model_version"].unique().to_list() == ["8"]
    assert found["is_hindsight"].to_list() == [False, False]
    rules = {"shadow_scores": replace(RULES["shadow_scores"], references={})}
    audit({"shadow_scores": found.select([column.name for column in rules["shadow_scores"].columns])}, rules)


def test_a_challenger_that_saw_later_outcomes_is_marked() -> None:
    origin = replace(drawn_bundle().provenance, trained_until="2026-07-02T00:00:00")
    found, _ = beside(replace(drawn_bundle(), provenance=origin))
    assert found is not None
    assert found["is_hindsight"].to_list() == [True, True]


@pytest.mark.parametrize(
    ("frame", "why"),
    [
        (FRAME.drop("wait_s"), "feature wait_s"),
        (FRAME.with_columns(wait_s=pl.Series(["long", "short"])), "feature wait_s"),
    ],
)
def test_a_feature_that_is_gone_is_a_warning_and_no_table(frame: pl.DataFrame, why: str) -> None:
    found, note = beside(drawn_bundle().with_version("8"), frame)
    assert found is None
    assert note.startswith("the challenger, version 8, was not scored: ")
    assert why in note


def test_ties_of_another_strength_are_no_features_of_its_own() -> None:
    origin = replace(drawn_bundle().provenance, parameters={"tie_weights": {"calls": 1.0}})
    assert beside(replace(drawn_bundle(), provenance=origin))[1].endswith("its ties have another strength")
