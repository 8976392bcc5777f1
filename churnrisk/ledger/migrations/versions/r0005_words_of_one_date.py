"""Two words of a customer on one consent may have one date: a refusal dated like a consent given before was dropped."""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    with op.batch_alter_table("consents") as consents:
        consents.drop_constraint(op.f("pk_consents"), type_="primary")
        consents.create_primary_key(op.f("pk_consents"), ["customer_id", "consent", "at", "value"])
