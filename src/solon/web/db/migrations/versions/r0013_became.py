"""Whether everybody may see what became of a conversation."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    with op.batch_alter_table("principles") as table:
        table.add_column(sa.Column("published", sa.Boolean, nullable=False, server_default=sa.false()))
