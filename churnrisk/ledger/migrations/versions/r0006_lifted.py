"""Who ended a suppression before its time, when and why: so far none could be ended."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.add_column("suppressions", sa.Column("lifted_at", sa.DateTime(), nullable=True))
    op.add_column("suppressions", sa.Column("lifted_by", sa.Text(), nullable=True))
    op.add_column("suppressions", sa.Column("lifted_because", sa.Text(), nullable=True))
