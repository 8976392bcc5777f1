"""Those made an offer stand beside controls who would have been made it: so what was planted is found."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from tests.unit.training.uplift.drawn_campaign import ARMS, FIRST, NIGHT, drawn_campaign
from training.uplift.alike import ALL_CONTROLS, SAME_OFFER, alike
from training.uplift.campaigns import NOT_ENOUGH, by_cause, incrementality
from training.uplift.learn import UpliftSettings
from training.uplift.nuisance import BY_LOT
from training.uplift.rows import Lot, UpliftRows

FAST = UpliftSettings(n_folds=3, n_resamples=100, threads=1)
DRAWS = 200


def held(name: str, *, knows: bool, again: int, draws: int = DRAWS) -> tuple[float, float]:
    """Return the share of draws whose interval of the difference holds the truth, and the mean error."""
    inside, errors = 0, []
    for seed in range(draws):
        rows, truth = drawn_campaign(seed=seed, explored=0.0, again=again)
        told = by_cause(rows if knows else replace(rows, lot=None), [None] * len(rows.arm))
        line = told.row(by_predicate=pl.col("offer_id") == name, named=True)
        inside += line["difference_low"] <= truth[name] <= line["difference_high"]
        errors.append(line["difference"] - truth[name])
    return inside / draws, float(np.mean(errors))


@pytest.mark.parametrize("again", [0, 5])
@pytest.mark.parametrize("name", ARMS[1:])
def test_beside_controls_of_the_same_offer_the_planted_effect_is_held(name: str, again: int) -> None:
    share, error = held(name, knows=True, again=again)
    # 95 % of 200 draws give or take .031 twice
    assert share > 0.9
    assert abs(error) < 0.006


def test_beside_all_controls_a_dear_offer_to_those_at_risk_looks_harmful_and_a_cheap_one_good() -> None:
    dear, below = held("dear", knows=False, again=0, draws=40)
    cheap, above = held("cheap", knows=False, again=0, draws=40)
    assert max(dear, cheap) < 0.1
    assert below < -0.08
    assert above > 0.08


@pytest.mark.parametrize("explored", [0.0, 0.1])
def test_the_effect_is_that_on_those_the_choice_picked(explored: float) -> None:
    inside = 0
    for seed in range(12):
        rows, truth = drawn_campaign(6_000, seed=seed, explored=explored, again=2)
        for line in incrementality(rows, FAST).to_dicts():
            assert (line["compared_with"], line["propensity"]) == (SAME_OFFER, BY_LOT)
            inside += line["effect_low"] <= truth[line["offer_id"]] <= line["effect_high"]
            assert line["kept"] == pytest.approx(line["effect"] * line["n_treated"])
    assert inside >= 20


def test_the_expectation_makes_it_no_less_precise() -> None:
    rows, _ = drawn_campaign(6_000, seed=3)
    for line in incrementality(rows, FAST).to_dicts():
        widths = [line[f"{name}_high"] - line[f"{name}_low"] for name in ("effect", "difference")]
        assert widths[0] < 1.02 * widths[1]
        assert line["effect"] == pytest.approx(line["difference"], abs=0.02)


def test_too_few_controls_of_an_offer_say_not_enough_data_however_many_there_are_of_others() -> None:
    rows, _ = drawn_campaign(2_000, explored=0.0)
    assert rows.lot is not None
    mine = np.flatnonzero(rows.lot.instead_of == "dear")
    few = rows.where(~np.isin(np.arange(2_000), mine[49:]))
    dear, cheap = incrementality(few, FAST).to_dicts()
    assert (dear["verdict"], dear["n_control"], dear["compared_with"]) == (NOT_ENOUGH, 49, SAME_OFFER)
    assert dear["effect"] is dear["difference"] is dear["kept"] is None
    assert cheap["difference"] is not None
    (found,) = by_cause(few, [None] * len(few.arm)).filter(offer_id="dear").to_dicts()
    assert (found["n_control"], found["verdict"]) == (49, NOT_ENOUGH)


def few_rows(*told: tuple[str, int, str, str | None]) -> UpliftRows:
    """Return rows from customer, night, what was given and, of a control, instead of what."""
    customers, nights, given, instead_of = (list(each) for each in zip(*told, strict=True))
    n = len(told)
    return UpliftRows(
        pl.DataFrame({"x": np.zeros(n)}),
        ARMS,
        np.array([ARMS.index(name) for name in given]),
        np.ones(n),
        np.full(n, 0.5),
        np.array(customers, dtype=object),
        lot=Lot(np.array(instead_of, dtype=object), FIRST + np.array(nights) * NIGHT),
    )


def customers(rows: UpliftRows, arm: int) -> tuple[list[str], list[str]]:
    group = alike(rows)[arm - 1]
    return rows.customer[group.made].tolist(), rows.customer[group.left].tolist()


def test_only_the_first_time_counts_and_only_controls_of_the_same_offer() -> None:
    rows = few_rows(
        ("c", 2, "control", "dear"),
        ("a", 0, "dear", None),
        ("a", 1, "dear", None),
        ("b", 0, "cheap", None),
        ("b", 1, "dear", None),
        ("c", 0, "control", "dear"),
        ("c", 1, "control", "cheap"),
        ("d", 0, "control", "cheap"),
        ("e", 0, "control", None),  # drew none
        ("e", 1, "control", "dear"),
    )
    assert customers(rows, 1) == (["a"], ["c"])
    assert customers(rows, 2) == (["b"], ["d"])
    assert alike(rows)[0].counts == (1, 1)


def test_whoever_was_reached_before_controls_said_their_offer_is_compared_with_nobody() -> None:
    rows = few_rows(
        ("a", 0, "dear", None),
        ("b", 0, "control", None),
        ("b", 3, "control", "dear"),
        ("c", 3, "control", "dear"),
        ("d", 3, "dear", None),
        ("a", 4, "dear", None),
        ("e", 4, "dear", None),
    )
    # b's second time says the offer too, and from that night on everybody new is compared
    assert customers(rows, 1) == (["d", "e"], ["c"])


def test_where_no_control_says_it_all_stand_beside_every_offer_weighted() -> None:
    rows, _ = drawn_campaign(500)
    assert rows.lot is not None
    silent = replace(rows, lot=replace(rows.lot, instead_of=np.full(500, None)))
    for arm, group in enumerate(alike(silent), start=1):
        assert group.compared_with == ALL_CONTROLS
        assert group.counts == (rows.n_in(arm), rows.n_in(0))
        assert group.chances(rows.propensity).tolist() == rows.propensity[group.here].tolist()


def test_where_the_lot_leaves_some_alone_more_often_controls_stand_for_those_the_offer_reached() -> None:
    rng = np.random.default_rng(5)
    n = 200_000
    risk = rng.choice([0.1, 0.4], n)
    # of those at risk seven of ten are left alone, of the others one
    alone = np.where(risk > 0.2, 0.7, 0.1)
    arm = (rng.random(n) >= alone).astype(int)
    stayed = (rng.random(n) >= risk * (1 - 0.25 * arm)).astype(float)
    lot = Lot(
        np.where(arm == 0, np.array("dear", dtype=object), np.array(None)),
        np.full(n, FIRST),
        left_alone=np.where(arm == 0, alone, np.nan),
    )
    rows = UpliftRows(
        pl.DataFrame({"x": np.zeros(n)}), ARMS[:2], arm, stayed, np.where(arm == 0, alone, 1 - alone),
        np.arange(n).astype(object), lot=lot,
    )  # fmt: skip
    truth = 0.25 * risk[arm == 1].mean()
    weighted = by_cause(rows, [None] * n).row(0, named=True)
    even = by_cause(replace(rows, lot=replace(lot, left_alone=None)), [None] * n).row(0, named=True)
    assert weighted["difference_low"] < truth < weighted["difference_high"]
    assert even["difference"] > truth + 0.1


def test_a_control_who_was_certain_to_be_one_stands_for_nobody() -> None:
    rows = few_rows(("a", 0, "dear", None), ("b", 0, "control", "dear"), ("c", 0, "control", "dear"))
    assert rows.lot is not None
    certain = replace(rows, lot=replace(rows.lot, left_alone=np.array([np.nan, 1.0, 0.2])))
    assert customers(certain, 1) == (["a"], ["c"])
    group = alike(certain)[0]
    assert group.chances(np.ones(3)).tolist() == [1.0, 0.25]


def test_a_control_whose_chance_nobody_knows_stands_for_as_many_as_the_others_do_on_average() -> None:
    rows = few_rows(
        ("a", 0, "dear", None), ("b", 0, "control", "dear"), ("c", 0, "control", "dear"), ("d", 0, "control", "dear")
    )  # fmt: skip
    assert rows.lot is not None
    for unknown in (np.nan, 0.0):
        told = replace(rows, lot=replace(rows.lot, left_alone=np.array([np.nan, 0.5, 0.2, unknown])))
        found = alike(told)[0]
        assert found.odds is not None
        assert found.odds.tolist() == [1.0, 1.0, 4.0, 2.5]
