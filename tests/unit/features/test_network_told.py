"""Which network features are told outside a run."""

from __future__ import annotations

import pytest

from features.network import tells_of_others


@pytest.mark.parametrize(
    ("name", "group", "tells"),
    [
        ("n_ties", "network", False),
        ("pagerank_ratio", "network", False),
        ("community_size", "network", False),  # counts rows that everybody sees
        ("community_strength_share", "network", True),  # counts ties to those who left
        ("churn_exposure_share_30d", "network", True),
        ("leaver_similarity_max_90d", "network", True),
        ("friends_gone_90d", "network", True),  # a feature of the user's own: nobody knows what it tells
        ("friends_gone_90d", "calls", False),
    ],
)
def test_a_feature_tells_of_others_unless_it_is_known_to_be_ones_own(
    name: str, group: str, *, tells: bool
) -> None:
    assert tells_of_others(name, group) is tells
