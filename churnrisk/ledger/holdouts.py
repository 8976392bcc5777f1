"""Who is held out: drawn by a keyed hash of the id, so that it stays the same whoever comes and goes.

It decides draws and arms, and refuses to know what is done to the others. Draws under different names are independent
of each other: who is in the permanent hold-out tells nothing about who is in a campaign's control group.
"""

from __future__ import annotations

import hashlib

import polars as pl

PERMANENT, SURVEY, CAMPAIGN = HOLDOUT_KINDS = ("permanent", "survey", "campaign")

TREATED, CONTROL = "treated", "control"

_STEPS = float(2**53)


def draws(ids: pl.Series, name: str, salt: str) -> pl.Series:
    """Return a number in [0, 1) for each id: the same for the same id, name and salt, always and everywhere.

    Parameters
    ----------
    ids : Series of text, shape (n,)
        Customers or communities; null gives null.
    name : str
        What is drawn for; another name gives an independent draw.
    salt : str
        [holdout] salt.

    Returns
    -------
    Series of Float64, shape (n,)
        The first 53 bits of a keyed BLAKE2b hash over 2^53. Takes about a second for a million.
    """
    key = hashlib.blake2b(f"{salt}\x1f{name}".encode(), digest_size=32).digest()
    numbers = [
        None
        if each is None
        else (int.from_bytes(hashlib.blake2b(each.encode(), key=key, digest_size=8).digest(), "big") >> 11)
        / _STEPS
        for each in ids.to_list()
    ]
    return pl.Series(ids.name, numbers, dtype=pl.Float64)


def held_out(ids: pl.Series, kind: str, share: float, salt: str, *, campaign_id: str = "") -> pl.Series:
    """Return whether each customer is in a hold-out; a larger share keeps everyone of a smaller one in it.

    ``kind`` is one of HOLDOUT_KINDS; ``campaign_id`` belongs to campaigns, each of which draws anew.
    """
    return draws(ids, f"{kind}\x1f{campaign_id}", salt) < share


def holdouts(ids: pl.Series, *, salt: str, permanent_share: float, survey_share: float) -> pl.DataFrame:
    """Return kind, campaign_id (empty) and customer_id of those in the permanent and in the survey hold-out."""
    parts = [
        pl.DataFrame({"customer_id": ids.filter(held_out(ids, kind, share, salt))}).select(
            pl.lit(kind).alias("kind"), pl.lit("").alias("campaign_id"), pl.col("customer_id").cast(pl.String)
        )
        for kind, share in ((PERMANENT, permanent_share), (SURVEY, survey_share))
    ]
    return pl.concat(parts).sort("kind", "customer_id")
