"""The chance with which those picked for an offer are left without it: of old controls that of their campaign."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("treatments", sa.Column("left_alone", sa.Double(), nullable=True))
    names = ("source", "instead_of", "campaign_id")
    treatments = sa.table("treatments", sa.column("left_alone", sa.Double()), *map(sa.column, names))
    campaigns = sa.table("campaigns", sa.column("campaign_id"), sa.column("control_share", sa.Double()))
    share = sa.select(campaigns.c.control_share).where(campaigns.c.campaign_id == treatments.c.campaign_id)
    ours = sa.and_(treatments.c.source == "decide", treatments.c.instead_of.is_not(None))
    op.execute(sa.update(treatments).where(ours).values(left_alone=share.scalar_subquery()))
