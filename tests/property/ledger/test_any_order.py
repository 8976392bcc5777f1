"""Messages of a survey platform in any order, any of them more than once: the same ledger."""

from __future__ import annotations

import json
import tempfile
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from churnrisk.console.bodies import answers_of
from churnrisk.console.intake import Intake
from churnrisk.ledger import Ledger
from churnrisk.ledger.facts import answers, whole
from churnrisk.ledger.schema import ALERTS, ANSWERS, INBOX, OUTBOX, STRAYS
from churnrisk.store import Workspace
from tests.drawn_asked import decide

NOW = datetime(2026, 5, 10, 8)

ANSWER = st.fixed_dictionaries(
    {
        "invitation_id": st.sampled_from(["ask-anna", "ask-boris", "ask-nobody"]),
        "score": st.integers(0, 10),
        "answered_at": st.integers(0, 3).map(
            lambda hours: f"{(datetime(2026, 5, 9) + timedelta(hours=hours)).isoformat()}Z"
        ),
    }
)
MESSAGES = st.lists(st.lists(ANSWER, min_size=1, max_size=3), min_size=1, max_size=4)


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_any_order_and_repetition_of_messages_gives_the_same_ledger(data: st.DataObject) -> None:
    messages = list(enumerate(data.draw(MESSAGES)))
    again = data.draw(st.lists(st.sampled_from(messages), max_size=3))
    order = data.draw(st.permutations(messages + again))
    assert ledger_after(order) == ledger_after(messages)


def ledger_after(messages: list[tuple[int, list[dict[str, Any]]]]) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "churnrisk.toml").write_text('[webhooks]\nendpoint = "https://desk.example"\n')
        workspace = Workspace.open(Path(folder))
        with Ledger.open(workspace, {}) as ledger:
            decide(ledger, {"customer_id": "anna"}, {"customer_id": "boris"})
            for number, given_answers in messages:
                parsed = {"answers": given_answers}
                body = json.dumps(parsed).encode()
                Intake(workspace, ledger).take(f"msg_{number}", body, answers_of(body, parsed), NOW)
            with ledger.reading() as db:
                found = {
                    table.name: whole(db, table).to_dicts() for table in (ANSWERS, ALERTS, STRAYS, INBOX)
                }
                # what the message of an alert says is of the answer that came first: it may have gone out by then
                found["outbox"] = whole(db, OUTBOX).select(pl.exclude("payload")).to_dicts()
                found["counting"] = answers(db).to_dicts()
    return found
