"""What responses taught: answers of the ledger and treatments of the sources, kept beside the risk."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from churnrisk.bundle import read_answers
from churnrisk.bundle.effects import read_effects
from churnrisk.dates import AsOf
from churnrisk.inputs import Inputs
from churnrisk.ledger import Ledger
from churnrisk.ledger.entries import add
from churnrisk.ledger.schema import ANSWERS, INVITATIONS
from churnrisk.responses import Responses, responses
from churnrisk.store import Engine, Workspace
from tests.spec.features.drawn import lake_of

AS_OF = AsOf(date(2026, 6, 30))
ASKED_AT = datetime(2026, 3, 1, 10)
N = 3_000


def workspace(root: Path) -> Workspace:
    (root / "churnrisk.toml").write_text("")
    return Workspace.open(root)


def drawn(seed: int = 1) -> tuple[pl.DataFrame, Mapping[str, str]]:
    """Customers asked on one day: a third are moody, leave five times as often and answer 3, the others answer 9."""
    rng = np.random.default_rng(seed)
    moody = rng.random(N) < 0.33
    leaves = rng.random(N) < np.where(moody, 0.25, 0.05)
    who = pl.DataFrame(
        {"key": np.arange(N), "moody": moody, "leaves": leaves, "answers": rng.random(N) < 0.5}
    )
    rows = [
        f"{key} | 2024-01-01 | 2024-01-01 | {'2026-04-01' if left else ''} | {'2026-04-01' if left else ''} | 10 | yes"
        for key, left in who.select("key", "leaves").iter_rows()
    ]
    head = "customer_key | valid_from | joined_at | left_at | left_known_at | monthly_value | may_use_answers"
    return who, {"customers": "\n".join([head, *rows])}


def put_in(ledger: Ledger, who: pl.DataFrame) -> None:
    at = pl.lit(ASKED_AT)
    asked = who.select(
        customer_id=pl.concat_str(pl.lit("c"), "key"),
        invitation_id=pl.concat_str(pl.lit("i"), "key"),
        metric=pl.lit("nps"),
        occasion=pl.lit("confirmation"),
        purpose=pl.lit("random"),
        invited_at=at,
        known_at=at,
        risk_at_asking=pl.lit(0.116),
        state=pl.lit("decided"),
        written_at=at,
    )
    answered = pl.lit(ASKED_AT + timedelta(days=1))
    given = who.filter("answers").select(
        customer_id=pl.concat_str(pl.lit("c"), "key"),
        invitation_id=pl.concat_str(pl.lit("i"), "key"),
        answer_id=pl.concat_str(pl.lit("a"), "key"),
        metric=pl.lit("nps"),
        score=pl.when("moody").then(3.0).otherwise(9.0),
        answered_at=answered,
        known_at=answered,
        source=pl.lit("file"),
        is_late=pl.lit(value=False),
        written_at=answered,
    )
    with ledger.writing() as db:
        add(db, INVITATIONS, asked)
        add(db, ANSWERS, given)


def found_in(root: Path, *, is_asked: bool = True, as_of: AsOf = AS_OF) -> Responses:
    place = workspace(root)
    who, tables = drawn()
    lake = lake_of(root / "lake", tables)
    if is_asked:
        with Ledger.open(place, {}) as ledger:
            put_in(ledger, who)
    with Engine(threads=1) as engine:
        lake.register(engine)
        return responses(place, engine, lake, Inputs(environment={}), as_of)


def test_what_answers_say_about_leaving_is_learned_from_the_ledger(tmp_path: Path) -> None:
    found = found_in(tmp_path)
    assert found.answers.is_learned
    assert found.answers.n_asked == N
    ratios = found.answers.log_ratios
    # those who answer 3 leave five times as often as those who answer 9: log(.25/.75) - log(.05/.95) = 1.85
    assert 1.2 < ratios[0] - ratios[2] < 2.8
    assert "learned from" in next(found.sentences())


def test_outcomes_that_are_not_known_yet_teach_nothing(tmp_path: Path) -> None:
    found = found_in(tmp_path, as_of=AsOf(date(2026, 3, 20)))
    assert not found.answers.is_learned
    assert found.answers.n_asked == 0


def test_where_nobody_was_asked_or_offered_anything_it_is_said_so(tmp_path: Path) -> None:
    found = found_in(tmp_path, is_asked=False)
    told = list(found.sentences())
    assert "nobody was asked to confirm" in told[0]
    assert "no treatment with a known outcome" in told[1]
    assert found.as_dict()["offers"] == {}


def test_what_was_learned_is_read_again_from_beside_the_model(tmp_path: Path) -> None:
    found = found_in(tmp_path)
    folder = tmp_path / "bundle"
    folder.mkdir()
    found.save(folder)
    assert read_answers(folder) == found.answers
    assert read_effects(folder) is None
