"""The offer that a control would have been made: not known of those already written."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("treatments", sa.Column("instead_of", sa.Text(), nullable=True))
