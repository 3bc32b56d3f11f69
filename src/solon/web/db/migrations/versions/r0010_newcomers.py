"""How many may join from one address is a setting of a conversation."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    with op.batch_alter_table("conversations") as table:
        table.add_column(sa.Column("newcomers", sa.Integer, nullable=False, server_default="60"))
