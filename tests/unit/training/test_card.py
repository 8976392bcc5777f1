"""The card of a model says what it predicts, from what and how well, and holds nobody's id."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from churnrisk.bundle import NpsFindings, PredictedNps, Provenance
from tests.drawn_models import drawn_bundle
from tests.drawn_trainings import drawn_looks, drawn_result
from training import FitSettings, Rows, TrainingResult, from_extract
from training.card import APART, CROSSED, CROSSED_USES, NOT_FOR, USES, model_card
from training.censoring import Censoring
from training.compare import Comparison
from training.gates import GateFinding
from training.judging.groups import TOO_FEW
from training.judging.segments import SEGMENT_COLUMNS
from training.nps import NPS_FIGURES
from training.ship import from_snapshots


@pytest.fixture(scope="module")
def result() -> TrainingResult:
    return drawn_result()


def section(card: str, title: str) -> str:
    return card.partition(f"## {title}\n")[2].partition("\n## ")[0]


def test_the_card_has_every_section_and_the_figures_of_the_training(result: TrainingResult) -> None:
    card = model_card(result, as_of="2026-06-30")
    assert re.findall(r"^## (.*)$", card, re.MULTILINE) == [
        "What it predicts",
        "Data",
        "Regime",
        "Figures",
        "Segments",
        "How long customers stay",
        "Gates",
        "Beside the champion",
        "What silent customers would answer",
        "What answers say and offers do",
        "Inputs",
        "Remarks",
        "What it must not be used for",
    ]
    auc = result.evaluation.figures
    assert f"| auc | {auc['auc']:.4f} | [{auc['auc_low']:.4f}, {auc['auc_high']:.4f}] |" in card
    assert result.regime[1:] in section(card, "Regime")  # says too what would lift it
    assert "would lift it" in section(card, "Regime")
    assert all(sentence in card for sentence in NOT_FOR)
    for use in result.snapshots:
        assert f"| {use.as_of} |" in section(card, "Data")
    assert "None" not in card.replace("None.", "")


def test_the_card_tells_where_risks_are_off_and_nothing_by_columns_kept_for_comparing_treatment() -> None:
    rng = np.random.default_rng(3)
    n = 4_000
    wait, plan, gender = rng.normal(size=n), rng.choice(["basic", "gold"], n), rng.choice(["f", "m"], n)
    left = (rng.random(n) < 1 / (1 + np.exp(2 - wait - (plan == "gold")))).astype(np.float64)
    frame = pl.DataFrame({"wait_s": wait, "attribute_plan": plan, "attribute_gender": gender})
    who = np.arange(n).astype(str).astype(object)
    rows = Rows(frame, left, np.ones(n), who, np.full(n, "", dtype=object))
    kept = FitSettings(1, leave_out=frozenset({"attribute_gender"}), unshared=frozenset({"attribute_gender"}))
    found = from_extract(rows, kept, Provenance(churn={"kind": "label"}))
    told = section(model_card(found, as_of="2026-06-30"), "Segments")
    assert "0 of 2 are off beyond chance" in told
    assert "| plan: gold | " in told
    assert "gender" not in told
    off = replace(found, segments=found.segments.with_columns(oe=pl.lit(1.4), is_flagged=pl.lit(value=True)))
    assert "| 1.40 |" in section(model_card(off, as_of="2026-06-30"), "Segments")
    assert "2 of 2 are off" in section(model_card(off, as_of="2026-06-30"), "Segments")


def test_the_card_pools_once_what_has_too_few_leavers_for_their_own(result: TrainingResult) -> None:
    row = {"attribute": "contract, region", "value": TOO_FEW, "n": 300, "n_leavers": 12, "oe": 1.1}
    shared = pl.DataFrame([row], schema=SEGMENT_COLUMNS)
    told = section(model_card(replace(result, segments=shared), as_of="2026-06-30"), "Segments")
    assert "| too few leavers for their own: contract, region | " in told


def test_what_the_user_left_out_is_told_as_such_columns_and_features_alike() -> None:
    rng = np.random.default_rng(3)
    n = 600
    wait = rng.normal(size=n)
    left = (rng.random(n) < 1 / (1 + np.exp(1 - wait))).astype(np.float64)
    frame = pl.DataFrame({"wait_s": wait, "tenure_days": wait, "attribute_gender": ["f", "m"] * (n // 2)})
    rows = Rows(
        frame, left, np.ones(n), np.arange(n).astype(str).astype(object), np.full(n, "", dtype=object)
    )
    kept = FitSettings(1, leave_out=frozenset({"attribute_gender", "tenure_days"}))
    found = from_extract(rows, kept, Provenance(churn={"kind": "label"}))
    words = "left out, as [training] leave_out says: gender, tenure_days"
    assert words in found.notes
    assert not [note for note in found.notes if note.startswith("not learned from")]
    card = model_card(found, as_of="2026-06-30")
    assert f"- {words}" in section(card, "Remarks")
    assert "- tenure_days: left out" in section(card, "Inputs")
    prior = from_extract(rows, replace(kept, n_leavers=0), Provenance(churn={"kind": "label"}))
    assert words in prior.notes


def test_the_card_tells_what_is_predicted_of_silent_customers_or_why_not(result: TrainingResult) -> None:
    title = "What silent customers would answer"
    assert "no survey answers" in section(model_card(result, as_of="2026-06-30"), title)
    findings = NpsFindings(reason="12 answers are known", n_answers=12)
    card = model_card(replace(result, nps=PredictedNps(findings)), as_of="2026-06-30")
    assert section(card, title).strip() == "Not predicted: 12 answers are known."
    figures = dict.fromkeys(NPS_FIGURES, (0.5, 0.4, 0.6)) | {"auc_passive": (None, None, None)}
    made = NpsFindings(n_answers=1500, regime="lightgbm", n_judged_answers=400, figures=figures)
    told = section(model_card(replace(result, nps=PredictedNps(made)), as_of="2026-06-30"), title)
    assert "Predicted, not asked" in told
    assert "400 answers" in told
    assert "| auc_detractor | 0.5000 | [0.4000, 0.6000] |" in told
    assert "| auc_passive | undefined |  |" in told


def test_no_id_of_a_customer_is_on_the_card() -> None:
    rng = np.random.default_rng(2)
    wait = rng.normal(size=400)
    left = (rng.random(400) < 1 / (1 + np.exp(1 - wait))).astype(np.float64)
    who = np.array([f"C-{each:05d}-x" for each in range(400)], dtype=object)
    frame = pl.DataFrame({"wait_s": wait, "attribute_name": who.tolist()})
    rows = Rows(frame, left, np.ones(400), who, np.full(400, "", dtype=object))
    found = from_extract(rows, FitSettings(1), Provenance(churn={"kind": "label"}))
    card = model_card(found, as_of="2026-06-30")
    assert "attribute_name: nearly unique" in card
    assert [each for each in who if each in card] == []
    assert "labelled extract" in section(card, "What it predicts")


def test_actions_dropped_columns_gates_and_the_champion_are_told(result: TrainingResult) -> None:
    told = replace(
        result,
        censoring=Censoring("recorded", 70, 20, 3, 0, 0, 500.0),
        comparison=Comparison("4", "not comparable", "leaving meant something else to it"),
        dropped={"colour": "constant"},
        gates=(GateFinding("better_than_chance", is_passed=False, needed="more", found="less"),),
        notes=("history is short",),
    )
    card = model_card(told, as_of="2026-06-30")
    assert "70 customer dates with one are not learned from" in section(card, "What it predicts")
    assert "version 4: leaving meant something else" in section(card, "Beside the champion")
    assert "- colour: constant" in section(card, "Inputs")
    assert "**Unfit**" in section(card, "Gates")
    assert "better_than_chance: NOT passed; needed more, found less" in card
    assert "- history is short" in section(card, "Remarks")


@pytest.mark.parametrize(
    ("churn", "words"),
    [
        ({"kind": "cancelled", "horizon_days": 30, "gap_days": 14}, "ends within 30 days, beginning 14 days"),
        (
            {"kind": "inactive", "horizon_days": 90, "gap_days": 7, "inactive_days": 90},
            "does nothing at all for 90 days, beginning 7 days",
        ),
    ],
)
def test_the_card_says_what_leaving_means_without_an_action(
    result: TrainingResult, churn: dict[str, object], words: str
) -> None:
    bundle = replace(drawn_bundle(), provenance=Provenance(churn=churn))
    text = section(model_card(replace(result, bundle=bundle), as_of="2026-06-30"), "What it predicts")
    assert words in text
    assert "no retention action" in text


def drawn_rows(days: list[str], n: int = 300) -> Rows:
    """So many customers on each day."""
    rng = np.random.default_rng(4)
    wait = rng.normal(size=n * len(days))
    left = (rng.random(len(wait)) < 1 / (1 + np.exp(1 - wait))).astype(np.float64)
    who = np.tile(np.arange(n), len(days)).astype(str).astype(object)
    return Rows(
        pl.DataFrame({"wait_s": wait}), left, np.ones(len(wait)), who, np.repeat(days, n).astype(object)
    )


def data_of(found: TrainingResult) -> str:
    return section(model_card(found, as_of="2026-06-30"), "Data")


LABELLED = Provenance(churn={"kind": "label"})


def test_out_of_time_each_date_teaches_the_judged_model_or_judges_it(result: TrainingResult) -> None:
    told = data_of(result)
    for use in result.snapshots:
        (line,) = [line for line in told.splitlines() if line.startswith(f"| {use.as_of} |")]
        assert f"| {USES[use.use]} | {'yes' if use.is_shipped else 'no'} |" in line
    assert {use.use for use in result.snapshots} == {"train", "embargo", "test"}
    assert APART in told
    assert CROSSED not in told


def test_where_customers_of_dated_looks_are_cross_validated_every_date_that_ships_teaches_and_judges() -> (
    None
):
    looks = drawn_looks(1)
    tests = [look for look in looks if look.snapshot.use == "test"]
    embargo = [look for look in looks if look.snapshot.use == "embargo"]
    kept = [replace(look, snapshot=replace(look.snapshot, is_shipped=True)) for look in tests]
    left_out = [replace(look, snapshot=replace(look.snapshot, is_shipped=False)) for look in embargo[:1]]
    churn = {"kind": "cancelled", "horizon_days": 30, "gap_days": 14}
    origin = Provenance(churn=churn, trained_until="2026-07-01T00:00:00")
    found = from_snapshots([*kept, *left_out], FitSettings(seed=1), origin)
    told = data_of(found)
    assert set(found.judged["as_of"]) == {str(look.snapshot.as_of) for look in kept}
    for look, use in (*((each, CROSSED_USES[True]) for each in kept), (left_out[0], CROSSED_USES[False])):
        (line,) = [line for line in told.splitlines() if line.startswith(f"| {look.snapshot.as_of} |")]
        assert f"| {use} |" in line
    assert "judged one" not in told
    assert "taught the judged model" not in told
    assert CROSSED in told


def test_an_extract_with_dates_is_told_as_it_was_judged_rows_without_a_date_included() -> None:
    found = from_extract(drawn_rows(["2026-03-31", "2026-06-30", ""]), FitSettings(1), LABELLED)
    told = data_of(found)
    assert "on 2 dates from 2026-03-31 to 2026-06-30 and on dates not known, as a labelled extract" in told
    assert "None" not in told
    assert f"| 2026-06-30 | {USES['test']} | yes | 300 |" in told
    assert f"| 2026-03-31 | {USES['train']} | yes | 300 |" in told
    assert "| not known | neither: it is not known whether they come before the test | yes | 300 |" in told
    assert APART in told


def test_an_extract_of_which_nothing_is_judged_out_of_time_says_so_with_its_dates_or_without() -> None:
    dated = from_extract(drawn_rows(["2026-06-01", "2026-06-30"]), FitSettings(1), LABELLED, reach_days=60)
    told = data_of(dated)
    assert (
        "One labelled extract: 600 customer dates, looked at on 2 dates from 2026-06-01 to 2026-06-30."
        in told
    )
    assert "without dates" not in told
    undated = from_extract(drawn_rows([""]), FitSettings(1), LABELLED)
    assert "One labelled extract without dates: 300 customers." in data_of(undated)
    for found in (dated, undated):
        assert CROSSED in data_of(found)
        assert APART not in data_of(found)
