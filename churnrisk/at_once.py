"""What follows from an answer the moment it is taken: the risk before and after it, and who looks after the customer.

It decides which risk an answer moves and how it was expected to be answered, and refuses to know files and HTTP. The
next night says the same for the same risk: both ask ``scoring.confirm``.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from scoring.confirm import is_evidence, risk_after

from .bundle import EVIDENCE, AnswerRatios, answer_category, read_answers
from .ledger import Transaction, facts
from .ledger.consent import newest
from .ledger.schema import CONSENTS, DECISIONS, INVITATIONS
from .ledger.taking import Following
from .store import Workspace
from .store.publish import published_days, published_frame
from .tables.published import RULES

CONSENT = "may_use_answers"
DAY_S = 86_400.0
FOLLOWING = ("risk_before", "risk_after", "owner")

_KEPT = pl.Struct(
    {
        "owner": pl.String(),
        "answers": pl.Struct({f"chance_{name}": pl.Float64() for name in EVIDENCE}),
    }
)


def following(workspace: Workspace) -> Following:
    """Return what says of answers, as `ledger.taking.take_answers` hands them over, what follows from them.

    Notes
    -----
    Only answers of invitations for evidence (purpose confirm or random) move a risk; of the others, of answers
    without a score, and of customers who took back ``may_use_answers``, both risks are null. The risk before is the
    latest one published, without any answer in it (``risk_before_survey`` where it is set); where nothing was
    published since the customer was asked, the one at asking. How likely each answer was is what the decision to
    ask says, else shares of the past. The age of the answer is that at which it became known.
    """

    def follow(db: Transaction, answers: pl.DataFrame) -> pl.DataFrame:
        told = answers.join(
            _asked(db, answers["invitation_id"]), on="invitation_id", how="left", maintain_order="left"
        )
        told = told.join(
            _decided(db, answers["customer_id"]), on="invitation_id", how="left", maintain_order="left"
        )
        told = told.join(
            _published(workspace, answers["customer_id"]), on="customer_id", how="left", maintain_order="left"
        )
        refused = _refused(db, answers["customer_id"], workspace.config.time.day_zone)
        is_newer = (pl.col("_published_on") >= pl.col("_asked_on")).fill_null(value=True)
        moved = told.with_columns(
            _before=pl.when(is_newer)
            .then(pl.coalesce("_risk", "_risk_at_asking"))
            .otherwise("_risk_at_asking"),
            _place=answer_category(pl.col("metric"), pl.col("score")),
            _age=((pl.col("known_at") - pl.col("answered_at")).dt.total_microseconds() / 1e6 / DAY_S),
        )
        speaks = (
            is_evidence()
            & pl.col("_before").is_not_null()
            & pl.col("_place").is_not_null()
            & ~pl.col("customer_id").is_in(refused.implode())
        )
        risks = _moved(moved.with_row_index("_nth").filter(speaks), read_answers(workspace.champion))
        joined = moved.with_row_index("_nth").join(risks, on="_nth", how="left", maintain_order="left")
        return joined.select(*answers.columns, *FOLLOWING)

    return follow


def _moved(rows: pl.DataFrame, ratios: AnswerRatios) -> pl.DataFrame:
    past = dict(zip(EVIDENCE, ratios.chances.tolist(), strict=True))
    is_told = pl.all_horizontal(pl.col(f"chance_{name}").is_not_null() for name in EVIDENCE)
    each = rows.select(
        pl.when(is_told).then(f"chance_{name}").otherwise(pl.lit(past[name])).alias(name) for name in EVIDENCE
    ).to_numpy()
    before = rows["_before"].to_numpy().astype(np.float64)
    after = risk_after(
        before,
        each / each.sum(axis=1, keepdims=True),
        ratios,
        rows["_place"].to_numpy().astype(np.int64),
        rows["_age"].to_numpy().astype(np.float64),
    )
    return rows.select("_nth", risk_before="_before", risk_after=pl.Series(after, dtype=pl.Float64))


def _asked(db: Transaction, invitations: pl.Series) -> pl.DataFrame:
    found = facts.by_index(db, INVITATIONS, "invitation_id", invitations)
    return found.select("invitation_id", "purpose", _asked_on="as_of", _risk_at_asking="risk_at_asking")


def _decided(db: Transaction, customers: pl.Series) -> pl.DataFrame:
    """Return of each invitation how likely each answer was, and who looked after the customer."""
    found = facts.by_index(db, DECISIONS, "customer_id", customers).filter(
        pl.col("kind") == "survey", pl.col("reference").is_not_null()
    )
    kept = found["details"].str.json_decode(_KEPT).struct
    told = found.select(invitation_id="reference").with_columns(
        kept.field("owner"), *(kept.field("answers").struct.field(f"chance_{name}") for name in EVIDENCE)
    )
    return told.unique("invitation_id", keep="first", maintain_order=True)


def _published(workspace: Workspace, customers: pl.Series) -> pl.DataFrame:
    """Return the latest published risk of each customer, without an answer in it, and its day."""
    rule, schema = (
        RULES["scores"],
        {"customer_id": pl.String(), "_risk": pl.Float64(), "_published_on": pl.Date()},
    )
    days = published_days(workspace, rule.name)
    frame = (
        published_frame(workspace, rule, days[-1], customers=customers.unique().to_list()) if days else None
    )
    if frame is None:
        return pl.DataFrame(schema=schema)
    return frame.select(
        "customer_id",
        _risk=pl.coalesce("risk_before_survey", "risk").cast(pl.Float64),
        _published_on=pl.lit(days[-1], dtype=pl.Date),
    )


def _refused(db: Transaction, customers: pl.Series, zone: str) -> pl.Series:
    said = facts.by_index(db, CONSENTS, "customer_id", customers).filter(pl.col("consent") == CONSENT)
    return newest(said, zone).filter(~pl.col("value"))["customer_id"]
