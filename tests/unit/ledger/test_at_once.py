"""An answer moves the risk the moment it is taken, by what the next night says too, and tells who looks after whom."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest

from churnrisk.at_once import following
from churnrisk.bundle import EVIDENCE, AnswerRatios
from churnrisk.dates import AsOf
from churnrisk.ledger import Ledger
from churnrisk.ledger.entries import add
from churnrisk.ledger.facts import answers, whole
from churnrisk.ledger.outbox import claimed
from churnrisk.ledger.schema import ALERTS, ANSWERS, CONSENTS, INVITATIONS
from churnrisk.ledger.taking import AnswerRules, match_strays, matched, take_answers
from churnrisk.store import Workspace
from scoring.confirm import Chances, confirmed, evidence_in_force
from tests.drawn_asked import CHANCES, decide, publish

NOW = datetime(2026, 5, 10, 8)
RULES = AnswerRules((0, 6), 7, "https://desk.example")
RATIOS = AnswerRatios.assumed("drawn")


def said(
    invitation: str, score: float | None, at: datetime = NOW, comment: str | None = None
) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "answer_id": [None],
            "invitation_id": [invitation],
            "metric": [None],
            "score": [score],
            "comment": [comment],
            "answered_at": [at],
            "known_at": [None],
        },
        schema={
            **dict.fromkeys(("answer_id", "invitation_id", "metric"), pl.String()),
            "score": pl.Float64(),
            "comment": pl.String(),
            "answered_at": pl.Datetime("us"),
            "known_at": pl.Datetime("us"),
        },
    )


def take(workspace: Workspace, ledger: Ledger, frame: pl.DataFrame, now: datetime = NOW) -> None:
    with ledger.writing() as db:
        take_answers(db, matched(db, frame), RULES, source="http", now=now, following=following(workspace))


def risks(ledger: Ledger) -> list[tuple[Any, ...]]:
    with ledger.reading() as db:
        found = answers(db)
    return found.select("customer_id", "risk_before", "risk_after").rows()


def test_a_detractor_raises_the_published_risk_at_once(workspace: Workspace, ledger: Ledger) -> None:
    decide(ledger, {"customer_id": "anna", "risk": 0.3}, {"customer_id": "boris"})
    publish(workspace, "2026-05-08", anna=(0.2, None), boris=(0.25, 0.2))
    take(workspace, ledger, said("ask-anna", 3))
    take(workspace, ledger, said("ask-boris", 10))
    (anna, boris) = risks(ledger)
    # by hand: the shift s solves .1 expit(s + .7) + .7 expit(s) + .2 expit(s - .7) = .2
    shift = -1.3577
    mean = sum(q / (1 + np.exp(-(shift + r))) for q, r in ((0.1, 0.7), (0.7, 0.0), (0.2, -0.7)))
    assert mean == pytest.approx(0.2, abs=2e-4)
    assert anna[1:] == (0.2, pytest.approx(1 / (1 + np.exp(-(shift + 0.7))), abs=2e-4))
    assert boris[1:] == (0.2, pytest.approx(1 / (1 + np.exp(-(shift - 0.7))), abs=2e-4))


def test_the_next_night_says_the_same_of_the_same_risk(workspace: Workspace, ledger: Ledger) -> None:
    decide(ledger, {"customer_id": "anna"})
    publish(workspace, "2026-05-09", anna=(0.2, None))
    take(workspace, ledger, said("ask-anna", 3, NOW - timedelta(hours=2)), now=NOW)
    ((_, before, after),) = risks(ledger)
    with ledger.reading() as db:
        asked = whole(db, INVITATIONS).join(answers(db), on="invitation_id", suffix="_answer")
    night = AsOf(date(2026, 5, 9), "UTC")
    now = NOW - night.instant
    moved = asked.with_columns(
        # as if the night fell at the very instant at which the answer became known
        answered_at=pl.col("answered_at") - now,
        invited_at=pl.col("invited_at") - now,
        answer_known_at=pl.lit(night.instant - timedelta(microseconds=1)),
    )
    evidence = evidence_in_force(moved, night)
    scores = pl.DataFrame(
        {"customer_id": ["anna"], "risk": [0.2], "risk_low": [0.1], "risk_high": [0.3]},
    ).with_columns(risk_before_survey=pl.lit(None, dtype=pl.Float64), band=pl.lit("watch"))
    chances = Chances(np.array([[CHANCES[name] for name in EVIDENCE]]), "predicted")
    told = confirmed(scores, evidence, RATIOS, chances, band=lambda risk: risk.cast(pl.String)).scores
    assert (before, after) == (0.2, pytest.approx(told["risk"][0], rel=1e-12))


def test_what_was_published_before_the_asking_does_not_count(workspace: Workspace, ledger: Ledger) -> None:
    decide(ledger, {"customer_id": "anna", "risk": 0.3})
    publish(workspace, "2026-04-30", anna=(0.9, None))
    take(workspace, ledger, said("ask-anna", 7))
    ((_, before, _),) = risks(ledger)
    assert before == 0.3


def test_answers_that_are_no_evidence_move_nothing(workspace: Workspace, ledger: Ledger) -> None:
    decide(ledger, {"customer_id": "anna", "purpose": "relationship"}, {"customer_id": "boris"})
    publish(workspace, "2026-05-08", anna=(0.2, None), boris=(0.2, None))
    take(workspace, ledger, said("ask-anna", 3))
    take(workspace, ledger, said("ask-boris", None, comment="ну"))
    assert risks(ledger) == [("anna", None, None), ("boris", None, None)]


def test_who_took_back_the_use_of_answers_is_not_moved(workspace: Workspace, ledger: Ledger) -> None:
    decide(ledger, {"customer_id": "anna"})
    with ledger.writing() as db:
        add(
            db,
            CONSENTS,
            pl.DataFrame({"customer_id": ["anna"], "consent": ["may_use_answers"]}).with_columns(
                at=pl.lit(NOW), known_at=pl.lit(NOW), value=pl.lit(value=False), source=pl.lit("call")
            ),
        )
    take(workspace, ledger, said("ask-anna", 3))
    assert risks(ledger) == [("anna", None, None)]


def test_without_chances_of_its_own_an_answer_is_as_likely_as_in_the_past(
    workspace: Workspace, ledger: Ledger
) -> None:
    decide(ledger, {"customer_id": "anna", "chances": None})
    take(workspace, ledger, said("ask-anna", 3))
    ((_, before, after),) = risks(ledger)
    assert before == 0.2
    assert after is not None
    assert 0.2 < after < 0.4


def test_old_answers_weigh_less(workspace: Workspace, ledger: Ledger) -> None:
    decide(ledger, {"customer_id": "anna"}, {"customer_id": "boris"})
    take(workspace, ledger, said("ask-anna", 3, datetime(2026, 5, 3)))
    take(workspace, ledger, said("ask-boris", 3, datetime(2026, 5, 3)), now=datetime(2026, 8, 1))
    (anna, boris) = risks(ledger)
    assert anna[2] is not None
    assert boris[2] is not None
    assert 0.2 < boris[2] < anna[2]


def test_an_answer_that_came_before_its_invitation_was_known_moves_the_risk_once_it_is(
    workspace: Workspace, ledger: Ledger
) -> None:
    take(workspace, ledger, said("ask-anna", 3))
    decide(ledger, {"customer_id": "anna"})
    with ledger.writing() as db:
        match_strays(db, RULES, NOW, following=following(workspace))
    ((_, before, after),) = risks(ledger)
    assert before == 0.2
    assert after is not None
    assert after > 0.3


def test_an_alert_carries_the_words_and_whoever_looks_after_the_customer(
    workspace: Workspace, ledger: Ledger
) -> None:
    decide(ledger, {"customer_id": "anna", "owner": "Olga"})
    take(workspace, ledger, said("ask-anna", 2, comment="слишком дорого"))
    with ledger.reading() as db:
        (alert,) = whole(db, ALERTS).to_dicts()
    assert (alert["owner"], alert["comment"]) == ("Olga", "слишком дорого")
    (message,) = claimed(ledger, NOW, sender="s")
    told = json.loads(message.body)
    assert (message.kind, told["type"]) == ("alert.raised", "alert.raised")
    assert (told["data"]["owner"], told["data"]["comment"]) == ("Olga", "слишком дорого")


@pytest.mark.parametrize("turned", [False, True])
def test_an_alert_tells_of_the_answer_given_first_whichever_came_first(
    turned: bool, workspace: Workspace, ledger: Ledger
) -> None:
    decide(ledger, {"customer_id": "anna"})
    first = said("ask-anna", 2, NOW - timedelta(hours=5))
    parts = [first, said("ask-anna", 5, NOW - timedelta(hours=1), "later")]
    for part in reversed(parts) if turned else parts:
        take(workspace, ledger, part)
    with ledger.reading() as db:
        (alert,) = whole(db, ALERTS).to_dicts()
        kept = whole(db, ANSWERS).filter(pl.col("answer_id") == alert["answer_id"])
    assert (alert["score"], alert["comment"]) == (2.0, None)
    assert kept["score"].to_list() == [2.0]


def test_learned_ratios_beside_the_champion_count(workspace: Workspace, ledger: Ledger) -> None:
    decide(ledger, {"customer_id": "anna"})
    plain = RATIOS.as_dict() | {"slope": {"value": 0.0, "low": None, "high": None, "n": 0, "n_leavers": 0}}
    workspace.champion.mkdir(parents=True)
    AnswerRatios.from_dict(plain).save(workspace.champion)
    take(workspace, ledger, said("ask-anna", 3))
    ((_, before, after),) = risks(ledger)
    assert (before, after) == (0.2, pytest.approx(0.2))
