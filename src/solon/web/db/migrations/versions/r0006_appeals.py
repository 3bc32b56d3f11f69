"""Why somebody asked for another look moves out of the append-only log, so that it can be deleted."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from solon.web.db.migrations import append_only, changeable

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    with op.batch_alter_table("statements") as table:
        table.add_column(sa.Column("appeal", sa.Text, nullable=False, server_default=""))
    own = "SELECT reason FROM decisions WHERE statement_id = statements.id AND action = 'appeal'"
    op.execute(f"UPDATE statements SET appeal = coalesce(({own}), '') WHERE NOT withdrawn AND author_id IS NOT NULL")
    changeable("decisions")
    op.execute("UPDATE decisions SET reason = '' WHERE action = 'appeal'")
    append_only("decisions")
