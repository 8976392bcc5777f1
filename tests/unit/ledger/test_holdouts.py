"""Hold-outs are drawn by a keyed hash: stable, independent of each other, of the size asked for."""

import hashlib

import polars as pl
import pytest

from churnrisk.ledger.holdouts import CAMPAIGN, HOLDOUT_KINDS, PERMANENT, SURVEY, draws, held_out, holdouts

IDS = pl.Series("customer_id", [f"c{number}" for number in range(40_000)])


def test_a_draw_is_the_keyed_blake2b_hash_as_anybody_can_compute_it() -> None:
    key = hashlib.blake2b(b"salt\x1fwhat", digest_size=32).digest()
    digest = hashlib.blake2b("Ольга".encode(), key=key, digest_size=8).hexdigest()
    assert draws(pl.Series(["Ольга"]), "what", "salt").to_list() == [(int(digest, 16) >> 11) / 2**53]


def test_who_is_held_out_does_not_depend_on_who_else_is_there() -> None:
    whole = dict(zip(IDS, held_out(IDS, PERMANENT, 0.05, "s"), strict=True))
    some = IDS.sample(500, seed=3).append(pl.Series(["new"]))
    again = dict(zip(some, held_out(some, PERMANENT, 0.05, "s"), strict=True))
    assert all(whole[name] == out for name, out in again.items() if name != "new")


def test_a_larger_share_keeps_everybody_of_the_smaller_one() -> None:
    small, large = held_out(IDS, SURVEY, 0.05, "s"), held_out(IDS, SURVEY, 0.1, "s")
    assert not (small & ~large).any()


@pytest.mark.parametrize("share", [0.0, 0.05, 0.5])
def test_the_share_is_the_one_asked_for(share: float) -> None:
    spread = (share * (1 - share) / len(IDS)) ** 0.5
    assert held_out(IDS, PERMANENT, share, "s").mean() == pytest.approx(share, abs=4 * spread)


def test_hold_outs_are_independent_of_each_other() -> None:
    """Within four standard errors of the product of the shares, for every pair of draws."""
    named = [(kind, "") for kind in HOLDOUT_KINDS[:2]] + [(CAMPAIGN, "spring"), (CAMPAIGN, "autumn")]
    flags = [held_out(IDS, kind, 0.2, "s", campaign_id=campaign) for kind, campaign in named]
    flags.append(held_out(IDS, PERMANENT, 0.2, "another salt"))
    for place, one in enumerate(flags):
        for other in flags[place + 1 :]:
            assert (one & other).mean() == pytest.approx(0.04, abs=4 * (0.04 * 0.96 / 40_000) ** 0.5)


def test_the_frame_of_hold_outs_names_kind_and_customer() -> None:
    found = holdouts(IDS, salt="s", permanent_share=0.05, survey_share=0.0)
    assert found["kind"].unique().to_list() == [PERMANENT]
    assert found["customer_id"].to_list() == sorted(IDS.filter(held_out(IDS, PERMANENT, 0.05, "s")))
