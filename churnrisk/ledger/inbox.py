"""Events that came in over HTTP: each counts once, whatever order they come in and however often.

It decides whether an event is new, and refuses to know what it says.
"""

from __future__ import annotations

import hashlib
from datetime import datetime

import polars as pl
from sqlalchemy import Connection, select, update

from .entries import add
from .schema import INBOX

NEW, AGAIN, CHANGED = "new", "again", "changed"


def received(db: Connection, event_id: str, body: bytes, now: datetime) -> str:
    """Note an event in the transaction that will act on it, and say whether it is new.

    Returns ``new``; ``again`` when the same event came before; ``changed`` when another body came under its id, which
    counts as again and should be told: the first one stands.
    """
    digest = hashlib.sha256(body).hexdigest()
    row = pl.DataFrame(
        {"event_id": [event_id], "received_at": [now], "body_sha256": [digest], "verdict": [NEW]}
    )
    if add(db, INBOX, row):
        return NEW
    before = db.execute(select(INBOX.c.body_sha256).where(INBOX.c.event_id == event_id)).scalar_one()
    return AGAIN if before == digest else CHANGED


def judged(db: Connection, event_id: str, verdict: str) -> None:
    """Note what was done with an event, in a word: taken, stray, refused."""
    db.execute(update(INBOX).where(INBOX.c.event_id == event_id).values(verdict=verdict))
