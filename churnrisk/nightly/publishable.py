"""Whether what a night decided could be published: asked before the decisions count.

It decides which tables are made of decisions and refuses to know what they must hold: that say the published contracts.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from scoring import RankedList, at_risk

from ..store.audits import audited
from ..tables.published import RULES
from .basis import Basis

_UNSAID = pl.DataFrame(
    schema={
        "customer_id": pl.String,
        "position": pl.Int64,
        "feature": pl.String,
        "value": pl.String,
        "effect_pp": pl.Float64,
        "sentence": pl.String,
    }
)
"""No reasons: they are put in words once it is known who is on the list, and no decision rests on them."""


def refuse_unpublishable(
    basis: Basis, scores: pl.DataFrame, ranked: RankedList, decided: Mapping[str, pl.DataFrame]
) -> None:
    """Raise GateRefused where a table made of decisions breaks its published contract.

    Parameters
    ----------
    scores : pl.DataFrame
        The published table, to which the others refer.
    ranked : RankedList
        The list as decided.
    decided : mapping of table name to frame
        survey_requests, offers_ranked and approaches.
    """
    listed = at_risk(
        ranked,
        _UNSAID,
        basis.sentences,
        run_id=basis.run_id,
        offered=decided["offers_ranked"],
        asked=decided["survey_requests"],
    )
    audited({"scores": scores, **decided, "at_risk": listed}, RULES)
