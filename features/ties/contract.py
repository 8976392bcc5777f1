"""What the caller must count before ties can be made: the pair facts, and with which constants.

It knows names, types and constants and refuses to know SQL; reading it starts no heavy library.
"""

from __future__ import annotations

import polars as pl

TIE_WINDOW_DAYS = 90
"""Contacts of so many days make a tie (science, section 1)."""

RECENT_DAYS = 30
"""`n_recent_*` count the contacts of the last so many days; a tie without any is lost. A judgement: a billing month."""

HALF_LIVES_DAYS = (14, 30)
"""Half-lives of a contact's weight: both ends of the 14..30 days of the literature. The caller's `decayed_14` and
`decayed_30` must be counted with them (see `features.ties.decay`)."""

TRAIN_GAP_HOURS = 4
"""A silence longer than this begins a new bursty train; the caller's `trains` must be counted with it."""

DECAY_ONE_CONTACT = 1 << 20
"""`decayed_*` of one contact of the as-of day. A power of two: integer sums in SQL, exact division here."""

PAIR_COLUMNS: dict[str, pl.DataType] = {
    "node_a": pl.Int32(),
    "node_b": pl.Int32(),
    "n_ab": pl.Int64(),
    "n_ba": pl.Int64(),
    "n_recent_ab": pl.Int64(),
    "n_recent_ba": pl.Int64(),
    "n_timed": pl.Int64(),
    "seconds": pl.Int64(),
    "active_days": pl.Int64(),
    "trains": pl.Int64(),
    "gap_squares": pl.Int64(),
    "decayed_14": pl.Int64(),
    "decayed_30": pl.Int64(),
    "first_contact_us": pl.Int64(),
    "last_contact_us": pl.Int64(),
}
"""The pair facts that `tie_table` reads, with the type each is read as; other columns are ignored."""
