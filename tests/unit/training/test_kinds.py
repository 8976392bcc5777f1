"""How customers leave: which kind each leaver is, and when kinds are told apart."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from churnrisk.bundle import Bundle, Feature
from churnrisk.config import ChurnSettings, ValueSettings
from churnrisk.dates import AsOf
from scoring.risk import scores
from tests.drawn_models import drawn_bundle
from training.kinds import kind_of_leaver, leaver_kinds
from training.rows import Rows

FEATURES = (Feature("days_late", "number"), Feature("n_contacts", "number"))


def drawn(n: int, seed: int, *, is_told: bool = True, n_silent: int | None = None) -> Rows:
    """Leavers of whom those late with bills are let go and those who call say so; and some stayers."""
    rng = np.random.default_rng(seed)
    late, contacts = rng.normal(size=n), rng.normal(size=n)
    pull = np.column_stack([2 * late, 2 * contacts, np.zeros(n)]) * is_told
    kind = np.array(["non_payment", "asked", "silent"], dtype=object)[
        (pull + rng.gumbel(size=(n, 3))).argmax(axis=1)
    ]
    if n_silent is not None:
        silent = np.flatnonzero(kind == "silent")
        kind[silent[n_silent:]] = "asked"
    left = (rng.random(n) < 0.7).astype(float)
    kind[left == 0] = None
    who = np.array([f"c{place}" for place in range(n)], dtype=object)
    frame = pl.DataFrame({"days_late": late, "n_contacts": contacts})
    return Rows(frame, left, np.ones(n), who, np.full(n, "2026-05-01", dtype=object), kind=kind)


@pytest.mark.parametrize(
    ("reason", "known", "expected"),
    [
        ("price", "05-20", "asked"),
        (None, "05-01", "asked"),
        (None, "05-10", "silent"),
        (None, "05-11", "silent"),
        (" Non-Payment ", "05-01", "non_payment"),
        ("unpaid", None, "non_payment"),
        ("written off", None, "asked"),
    ],
)
def test_a_leaver_asked_or_was_silent_or_did_not_pay(
    reason: str | None, known: str | None, expected: str
) -> None:
    case = pl.DataFrame(
        {
            "left_reason": [reason],
            "leaves_at": [datetime(2026, 5, 10)],
            "leaving_known_at": [None if known is None else datetime.strptime(f"2026-{known}", "%Y-%m-%d")],  # noqa: DTZ007
        },
        schema_overrides={"left_reason": pl.String, "leaving_known_at": pl.Datetime("us")},
    )
    assert case.select(kind_of_leaver(ChurnSettings())).item() == expected


def test_the_words_for_not_paying_are_the_users() -> None:
    case = pl.DataFrame({"left_reason": ["Written off"], "leaves_at": [None], "leaving_known_at": [None]})
    churn = ChurnSettings(non_payment_reasons=("written off",))
    assert case.select(kind_of_leaver(churn)).item() == "non_payment"


def test_kinds_that_the_inputs_tell_apart_have_shares_that_come_true() -> None:
    found = leaver_kinds(drawn(4_000, seed=1), FEATURES, seed=1)
    assert found.model is not None
    assert found.model.names == ("asked", "non_payment", "silent")
    assert found.gained is not None
    assert found.gained.low > 0
    assert found.notes[0].startswith("kinds of leavers are told apart (asked ")
    fresh = drawn(20_000, seed=2)
    left = fresh.left > 0
    shares = found.model.shares(fresh.frame.to_numpy())
    assert shares.sum(axis=1) == pytest.approx(np.ones(20_000))
    for place, name in enumerate(found.model.names):
        flagged = left & (shares[:, place] > 0.6)
        assert (fresh.kind == name)[flagged].mean() == pytest.approx(shares[flagged, place].mean(), abs=0.05)  # type: ignore[index]


def test_kinds_that_nothing_tells_apart_are_one() -> None:
    found = leaver_kinds(drawn(2_000, seed=3, is_told=False), FEATURES, seed=1)
    assert found.model is None
    assert found.notes[0].startswith("leavers are one kind: the data do not tell kinds apart (asked ")


def test_a_kind_with_few_leavers_counts_as_another_kind() -> None:
    found = leaver_kinds(drawn(3_000, seed=4, n_silent=40), FEATURES, seed=1)
    assert found.model is not None
    assert found.model.names == ("asked", "non_payment", "other")
    few = leaver_kinds(drawn(150, seed=5), FEATURES, seed=1)
    assert few.model is None
    assert few.notes[0].startswith("leavers are one kind: fewer than two kinds have 100")


def test_without_kinds_nothing_is_said() -> None:
    rows = drawn(500, seed=6)
    silent = np.array(["silent" if left else None for left in rows.left], dtype=object)
    for kind in (None, silent):
        found = leaver_kinds(
            Rows(rows.frame, rows.left, rows.weight, rows.customer, rows.snapshot, kind=kind),
            FEATURES,
            seed=1,
        )
        assert (found.model, found.notes) == (None, ())


def test_scores_name_the_likeliest_kind_and_its_share_after_saving(tmp_path: Path) -> None:
    plain = drawn_bundle(days_late="price", n_contacts="service")
    found = leaver_kinds(drawn(4_000, seed=7), FEATURES, seed=1)
    replace(plain, leaver_kinds=found.model).save(tmp_path)
    frame = pl.DataFrame({"customer_id": ["a", "b"], "days_late": [3.0, -3.0], "n_contacts": [-2.0, 3.0]})
    as_of = AsOf(datetime(2026, 5, 1).date())
    told = scores(frame, Bundle.load(tmp_path), ValueSettings(), as_of=as_of, run_id="r")
    assert told["leaver_kind"].to_list() == ["non_payment", "asked"]
    assert all(0.6 < share <= 1 for share in told["leaver_kind_share"])
    untold = scores(frame, plain, ValueSettings(), as_of=as_of, run_id="r")
    assert untold.select("leaver_kind", "leaver_kind_share").null_count().row(0) == (2, 2)
