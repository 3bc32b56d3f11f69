"""Arenas for the participants of a conversation."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    key = sa.ForeignKey("conversations.id", name="fk_arenas_people_of")
    with op.batch_alter_table("arenas") as table:
        table.add_column(sa.Column("people_of", sa.Integer, key))
