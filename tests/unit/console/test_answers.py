"""The endpoint for survey platforms: signed, once per id and answer, whole or not at all, silent about customers."""

from __future__ import annotations

import json
import threading
import time
from datetime import datetime
from typing import Any

import polars as pl
import pytest

from churnrisk.console.app import MOST_BYTES
from churnrisk.console.bodies import MOST_ANSWERS
from churnrisk.console.intake import Intake
from churnrisk.delivery import Secrets
from churnrisk.ledger import Ledger
from churnrisk.ledger.facts import answers, whole
from churnrisk.ledger.outbox import claimed
from churnrisk.ledger.schema import ALERTS, ANSWERS, INBOX, STRAYS
from churnrisk.store import Workspace
from tests.drawn_asked import decide
from tests.unit.console.conftest import NOW, Platform, served, signed

LOW = {
    "invitation_id": "ask-anna",
    "score": 3,
    "comment": "слишком дорого",
    "answered_at": "2026-05-09T12:00:00+02:00",
}
HIGH = {"invitation_id": "ask-boris", "metric": "nps", "score": 10, "answered_at": "2026-05-09T12:00:00Z"}


def rows(ledger: Ledger, table: Any) -> list[dict[str, Any]]:
    with ledger.reading() as db:
        return whole(db, table).to_dicts()


def test_an_answer_is_taken_moves_the_risk_and_raises_an_alert(platform: Platform, ledger: Ledger) -> None:
    status, told = platform.send(LOW)
    assert (status, told) == (
        202,
        {"status": "taken", "n_new": 1, "n_known": 0, "n_stray": 0, "n_alerts": 1},
    )
    (answer,) = rows(ledger, ANSWERS)
    assert (answer["customer_id"], answer["metric"], answer["source"]) == ("anna", "nps", "http")
    assert (answer["answered_at"], answer["known_at"]) == (datetime(2026, 5, 9, 10), NOW)
    assert answer["risk_before"] == 0.2
    assert answer["risk_after"] > 0.3
    (alert,) = rows(ledger, ALERTS)
    assert (alert["owner"], alert["comment"]) == ("Olga", "слишком дорого")
    (message,) = claimed(ledger, NOW, sender="s")
    assert (message.kind, message.endpoint) == ("alert.raised", "https://desk.example")


def test_the_same_message_and_the_same_answer_count_once(platform: Platform, ledger: Ledger) -> None:
    assert platform.send(LOW)[0] == 202
    assert platform.send(LOW) == (
        200,
        {"status": "known", "n_new": 0, "n_known": 1, "n_stray": 0, "n_alerts": 0},
    )
    assert platform.send({"answers": [LOW]}, "msg_2") == (
        200,
        {"status": "known", "n_new": 0, "n_known": 1, "n_stray": 0, "n_alerts": 0},
    )
    assert [len(rows(ledger, table)) for table in (ANSWERS, ALERTS, INBOX)] == [1, 1, 2]


def test_a_batch_is_taken_as_a_whole(platform: Platform, ledger: Ledger) -> None:
    assert platform.send({"answers": [LOW, HIGH]})[1]["n_new"] == 2
    with ledger.reading() as db:
        assert answers(db)["score"].to_list() == [3.0, 10.0]


def test_an_answer_to_an_invitation_nobody_knows_is_kept_apart_until_somebody_does(
    workspace: Workspace, ledger: Ledger
) -> None:
    intake = Intake(workspace, ledger)
    with served(intake) as platform:
        assert platform.send(LOW) == (
            202,
            {"status": "taken", "n_new": 0, "n_known": 0, "n_stray": 1, "n_alerts": 0},
        )
    assert [each["reason"] for each in rows(ledger, STRAYS)] == ["unknown_invitation"]
    assert [each["verdict"] for each in rows(ledger, INBOX)] == ["stray"]
    decide(ledger, {"customer_id": "anna"})
    assert (intake.match_strays(NOW), intake.match_strays(NOW)) == (1, 0)
    assert [each["customer_id"] for each in rows(ledger, ANSWERS)] == ["anna"]


def test_another_body_under_an_id_is_refused_and_the_first_one_stands(
    platform: Platform, ledger: Ledger
) -> None:
    assert platform.send(LOW)[0] == 202
    status, told = platform.send(HIGH)
    assert (status, told["code"]) == (409, "id_taken")
    assert [each["customer_id"] for each in rows(ledger, ANSWERS)] == ["anna"]


STRANGERS = Secrets((b"x" * 32,))
BODY = json.dumps(LOW)


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({}, 400, "headers"),
        ({"webhook-id": "m" * 300}, 400, "headers"),
        (signed(BODY, secrets=STRANGERS), 401, "signature"),
        (signed(BODY + " "), 401, "signature"),
        ({"webhook-id": "m", "webhook-timestamp": "soon", "webhook-signature": "v1,ä"}, 401, "signature"),
    ],
    ids=["unsigned", "long id", "another secret", "another body", "nonsense"],
)
def test_what_was_not_signed_is_refused(
    headers: dict[str, str], status: int, code: str, platform: Platform, ledger: Ledger
) -> None:
    plain = {name: value.encode("latin-1").decode("latin-1") for name, value in headers.items()}
    found, told = platform.send(BODY, headers=plain)
    assert (found, told["code"], told["errors"]) == (status, code, [])
    assert rows(ledger, INBOX) == []


def test_an_old_message_is_refused(platform: Platform) -> None:
    assert platform.send(BODY, headers=signed(BODY, late_s=400))[0] == 401
    assert platform.send(BODY, headers=signed(BODY, late_s=-400))[0] == 401
    assert platform.send(BODY, headers=signed(BODY, late_s=200))[0] == 202


def test_a_body_that_is_no_json_is_refused(platform: Platform) -> None:
    assert platform.send("{")[0] == 400
    raw = b"\xff\xfe"
    assert platform.ask("POST", "/answers", raw, signed("x"))[0] == 400


def wrong(given: Any, **more: Any) -> Any:
    return {**given, **more}


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ([], [("body", "model_type")]),
        ({"answers": []}, [("answers", "too_short")]),
        ({"answers": [LOW] * (MOST_ANSWERS + 1)}, [("answers", "too_long")]),
        (wrong(LOW, secret_word="x"), [("body", "unknown_field")]),
        (wrong(LOW, score="3"), [("score", "float_type")]),
        (wrong(LOW, score=float("nan")), [("score", "finite_number")]),
        (wrong(LOW, score=11), [("score", "less_than_equal")]),
        (wrong(LOW, score=3.5), [("score", "score_not_whole")]),
        (wrong(LOW, metric="csat"), [("metric", "metric_not_asked")]),
        (wrong(LOW, metric="csat", score=9), [("metric", "metric_not_asked"), ("score", "score_off_scale")]),
        (
            {"answers": [wrong(LOW, answer_id="A1"), wrong(LOW, answer_id="A1", score=4)]},
            [("answers.1.answer_id", "id_taken")],
        ),
        (wrong(LOW, metric="mood"), [("metric", "literal_error")]),
        (wrong(LOW, score=None, comment=""), [("body", "value_error")]),
        (wrong(LOW, answered_at="2026-05-09T12:00:00"), [("answered_at", "timezone_aware")]),
        (wrong(LOW, answered_at="1999-05-09T12:00:00Z"), [("answered_at", "value_error")]),
        (wrong(LOW, answered_at="2026-05-01T12:00:00Z"), [("answered_at", "answer_before_invitation")]),
        (wrong(LOW, answered_at="2026-05-11T12:00:00Z"), [("answered_at", "answer_in_the_future")]),
        (wrong(LOW, invitation_id="a\nb"), [("invitation_id", "string_pattern_mismatch")]),
        (
            {"answers": [HIGH, wrong(LOW, score=7.5), wrong(LOW, metric="ces", score=0)]},
            [
                ("answers.2.metric", "metric_not_asked"),
                ("answers.2.score", "score_off_scale"),
                ("answers.1.score", "score_not_whole"),
            ],
        ),
    ],
)
def test_what_cannot_be_an_answer_is_refused_whole_with_its_place_and_without_its_words(
    given: Any, told: list[tuple[str, str]], platform: Platform, ledger: Ledger
) -> None:
    status, found = platform.send(given)
    assert status == 422
    assert [(each["at"], each["code"]) for each in found["errors"]] == told
    text = json.dumps(found, ensure_ascii=False)
    assert not any(word in text for word in ("дорого", "ask-", "secret_word", "2026-", "mood"))
    assert rows(ledger, ANSWERS) == rows(ledger, STRAYS) == rows(ledger, INBOX) == []
    assert platform.send(HIGH)[0] == 202, "its id is free still"


def test_a_comment_that_comes_after_its_answer_is_told_apart_and_taken_as_an_answer_of_its_own(
    platform: Platform, ledger: Ledger
) -> None:
    first = wrong(LOW, answer_id="A1", comment=None)
    assert platform.send(first)[0] == 202
    status, told = platform.send(wrong(LOW, answer_id="A1", comment="too dear"), "msg_2")
    assert (status, told["errors"]) == (422, [{"at": "comment", "code": "comment_came_later"}])
    alone = wrong(LOW, score=None, comment="too dear", answered_at="2026-05-09T13:00:00Z")
    assert platform.send(alone, "msg_3")[0] == 202
    assert sorted(each["comment"] or "" for each in rows(ledger, ANSWERS)) == ["", "too dear"]


def test_an_answer_id_that_was_given_to_another_answer_is_refused(platform: Platform, ledger: Ledger) -> None:
    first, other = wrong(LOW, answer_id="A1"), {**HIGH, "answer_id": "A1"}
    assert platform.send(first)[0] == 202
    status, told = platform.send(other, "msg_2")
    assert (status, told["errors"]) == (422, [{"at": "answer_id", "code": "id_taken"}])
    assert platform.send(first, "msg_3")[0] == 200
    assert [each["invitation_id"] for each in rows(ledger, ANSWERS)] == ["ask-anna"]


def test_a_body_that_is_too_large_is_refused_told_or_not(platform: Platform) -> None:
    assert platform.send("x" * (MOST_BYTES + 1))[1]["code"] == "too_large"
    pieces = iter([b"x" * 300_000] * 4)
    from http.client import HTTPConnection

    connection = HTTPConnection("127.0.0.1", platform.port, timeout=60)
    connection.request("POST", "/answers", pieces, {"transfer-encoding": "chunked"}, encode_chunked=True)
    assert connection.getresponse().status == 413
    connection.close()


def test_a_ledger_that_is_busy_asks_for_patience(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    from churnrisk.ledger.database import busy

    def refuse(*_: Any) -> None:
        raise busy()

    monkeypatch.setattr("churnrisk.console.intake.inbox.received", refuse)
    status, told = platform.send(LOW)
    assert (status, told["code"]) == (503, "unavailable")


def test_nothing_of_a_customer_is_logged_even_when_something_breaks(
    platform: Platform,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert platform.send(LOW)[0] == 202

    def fail(*_: Any) -> None:
        msg = "insert failed for ask-anna: слишком дорого"
        raise ValueError(msg)

    monkeypatch.setattr("churnrisk.console.intake.inbox.received", fail)
    assert platform.send(LOW, "msg_2") == (
        500,
        {"code": "bug", "message": "A bug in churnrisk.", "errors": []},
    )
    until = time.monotonic() + 10
    while "in a request" not in caplog.text and time.monotonic() < until:
        time.sleep(0.01)  # the server logs after it has answered
    seen = "".join(capfd.readouterr()) + caplog.text
    assert "ValueError in a request" in seen
    assert not any(word in seen for word in ("дорого", "ask-anna", "anna", "boris"))


def test_answers_are_taken_while_another_run_holds_the_workspace(
    platform: Platform, workspace: Workspace
) -> None:
    with workspace.held("nightly"):
        assert platform.send(LOW)[0] == 202


def test_messages_that_come_side_by_side_are_all_taken_once(platform: Platform, ledger: Ledger) -> None:
    found: list[int] = []

    def send(place: int) -> None:
        given = LOW if place % 2 else HIGH
        found.append(platform.send(given, f"msg_{place % 4}")[0])

    threads = [threading.Thread(target=send, args=(place,)) for place in range(12)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sorted(found) == [200] * 10 + [202] * 2
    assert [len(rows(ledger, table)) for table in (ANSWERS, ALERTS, INBOX)] == [2, 1, 4]


def test_health_says_that_the_ledger_can_be_read(platform: Platform) -> None:
    status, told = platform.ask("GET", "/health")
    assert (status, told["status"]) == (200, "ok")


@pytest.mark.parametrize("path", ["/", "/docs", "/redoc", "/answers"])
def test_there_is_nothing_else_to_see(path: str, platform: Platform) -> None:
    assert platform.ask("GET", path)[0] in {404, 405}


def test_the_order_within_a_batch_does_not_matter(workspace: Workspace, ledger: Ledger) -> None:
    decide(ledger, {"customer_id": "anna"})
    twice = [wrong(LOW, answer_id="b", answered_at="2026-05-09T13:00:00Z"), wrong(LOW, answer_id="a")]
    with served(Intake(workspace, ledger)) as platform:
        assert platform.send({"answers": twice})[1]["n_alerts"] == 1
    assert [each["answer_id"] for each in rows(ledger, ALERTS)] == ["a"]
    assert pl.DataFrame(rows(ledger, ANSWERS)).height == 2
