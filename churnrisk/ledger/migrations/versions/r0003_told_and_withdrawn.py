"""What was told of treatments gets dates of its own; what never left the house is marked; strays keep the end of a day.

When a treatment that a night decided was completed nobody had written down: what is there counts as known from now on.
"""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

WITHDRAWABLE = ("invitations", "treatments", "contacts")


def upgrade() -> None:
    op.create_table(
        "treatment_facts",
        sa.Column("treatment_id", sa.Text(), nullable=False),
        sa.Column("fact", sa.Text(), nullable=False),
        sa.Column("known_at", sa.DateTime(), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("written_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("treatment_id", "fact", "known_at", name=op.f("pk_treatment_facts")),
    )
    op.create_index("ix_treatment_facts_customer_id", "treatment_facts", ["customer_id"], unique=False)
    for table in WITHDRAWABLE:
        op.add_column(table, sa.Column("withdrawn_at", sa.DateTime(), nullable=True))
    op.add_column("strays", sa.Column("answered_end", sa.DateTime(), nullable=True))
    _date_what_was_told()


def _date_what_was_told() -> None:
    names = ("treatment_id", "customer_id", "source", "root_cause")
    treatments = sa.table("treatments", sa.column("accepted", sa.Boolean()), *map(sa.column, names))
    kept = ("treatment_id", "fact", "known_at", "customer_id", "value", "source", "written_at")
    facts = sa.table("treatment_facts", *map(sa.column, kept))
    now = sa.literal(datetime.now(UTC).replace(tzinfo=None), sa.DateTime())
    answers = sa.case((treatments.c.accepted, "true"), else_="false")
    for fact, value in (("accepted", answers), ("root_cause", treatments.c.root_cause)):
        told = sa.select(
            treatments.c.treatment_id,
            sa.literal(fact),
            now,
            treatments.c.customer_id,
            value,
            sa.literal("migration"),
            now,
        ).where(treatments.c.source == "decide", treatments.c[fact].is_not(None))
        op.execute(sa.insert(facts).from_select(list(kept), told))
