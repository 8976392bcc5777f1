"""What the caller must count before ties can be made: the pair facts, and with which constants.

It knows names, types and constants and refuses to know SQL; reading it starts no heavy library.
"""

from __future__ import annotations

import polars as pl

RECENT_DAYS = 30
"""`n_recent_*` count the contacts of the last so many days; a tie without any is lost. A judgement: a billing month."""

HALF_LIFE_DAYS = 21.0
"""Half-life h of a contact's weight; the caller's `decayed` must be counted with it.

Middle of the 14..30 days of the literature, three whole weeks. Not tuned: at 14 / 21 / 30 days Copenhagen gives
AUC .788 / .791 / .792 (standard error .016), CollegeMsg .71 / .70 / .69 (mean of four cuts).
"""

TRAIN_GAP_HOURS = 4
"""A silence longer than this begins a new bursty train; the caller's `trains` must be counted with it."""

DECAY_ONE_CONTACT = 1 << 20
"""`decayed` of one contact at age 0. A power of two: integer sums in SQL, exact division here."""

PAIR_COLUMNS: dict[str, pl.DataType] = {
    "node_a": pl.Int32(),
    "node_b": pl.Int32(),
    "n_ab": pl.Int64(),
    "n_ba": pl.Int64(),
    "n_recent_ab": pl.Int64(),
    "n_recent_ba": pl.Int64(),
    "seconds": pl.Int64(),
    "active_days": pl.Int64(),
    "trains": pl.Int64(),
    "decayed": pl.Int64(),
    "first_contact_us": pl.Int64(),
    "last_contact_us": pl.Int64(),
}
"""The pair facts that `tie_table` reads, with the type each is read as; other columns are ignored."""
