"""A checked message into the ledger: once, whole or not at all, and what follows from it at once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import polars as pl

from ..at_once import following
from ..ledger import Ledger, Transaction, inbox, taking
from ..ledger.against import ahead
from ..ledger.repeated import beside_taken_ids
from ..ledger.taking import AnswerRules
from ..store import Workspace
from .bodies import MOST_TOLD, Answer, Taken, Unreadable, Wrong, frame_of

SOURCE = "http"


class Conflict(Exception):
    """Another body came under an id that was taken: the first one stands."""


@dataclass(frozen=True)
class Intake:
    """Where answers go."""

    workspace: Workspace
    ledger: Ledger

    def take(self, event_id: str, body: bytes, answers: tuple[Answer, ...], now: datetime) -> Taken:
        """Write the answers of one message, if it is new.

        Raises
        ------
        Conflict
            The id came before with another body.
        Unreadable
            A score off the scale of what was asked, or of another question, an answer before its invitation or in the
            future, an answer_id that was given to another answer.
        WorkspaceBusy, ConfigError
            The ledger cannot be written just now.
        """
        with self.ledger.writing() as db:
            verdict = inbox.received(db, event_id, body, now)
            if verdict == inbox.CHANGED:
                raise Conflict
            if verdict == inbox.AGAIN:
                return Taken(status="known", n_new=0, n_known=len(answers), n_stray=0, n_alerts=0)
            found = self._written(db, answers, now)
            inbox.judged(db, event_id, "stray" if found.n_stray == len(answers) else "taken")
        return found

    def _written(self, db: Transaction, answers: tuple[Answer, ...], now: datetime) -> Taken:
        rows = beside_taken_ids(db, "answers", taking.matched(db, frame_of(answers)))
        refuse(rows, now, is_batch=len(answers) > 1)
        rules, told = AnswerRules.of(self.workspace.config), following(self.workspace)
        found = taking.take_answers(db, rows, rules, source=SOURCE, now=now, following=told)
        is_new = found.n_new > 0 or found.n_stray > 0
        return Taken(
            status="taken" if is_new else "known",
            n_new=found.n_new,
            n_known=found.n_known,
            n_stray=found.n_stray,
            n_alerts=found.n_alerts,
        )

    def match_strays(self, now: datetime) -> int:
        """Take answers that came before their invitation was known; return how many."""
        with self.ledger.writing() as db:
            return taking.match_strays(
                db, AnswerRules.of(self.workspace.config), now, following=following(self.workspace)
            ).n_new


def refuse(rows: pl.DataFrame, now: datetime, *, is_batch: bool) -> None:
    """Raise Unreadable where what the ledger knows shows an answer to be wrong: the rules of ``churnrisk record``."""
    faults = {
        "metric_not_asked": ("metric", taking.not_asked()),
        "score_off_scale": ("score", taking.off_scale()),
        "score_not_whole": ("score", taking.not_whole()),
        "answer_before_invitation": (
            "answered_at",
            (pl.col("answered_at") < pl.col("invited_at")).fill_null(value=False),
        ),
        "answer_in_the_future": ("answered_at", ahead("answered_at", now)),
        "comment_came_later": ("comment", pl.col("_comment_later")),
        "id_taken": ("answer_id", pl.col("_id_taken")),
    }
    marked = rows.select(
        pl.int_range(pl.len()).alias("_nth"), **{code: bad for code, (_, bad) in faults.items()}
    )
    wrong = [
        Wrong(at=f"answers.{place}.{column}" if is_batch else column, code=code)
        for code, (column, _) in faults.items()
        for place in marked.filter(pl.col(code))["_nth"].head(MOST_TOLD)
    ]
    if wrong:
        raise Unreadable(wrong[:MOST_TOLD])
