"""Which browser used a link, so that it alone may use it again for some minutes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    with op.batch_alter_table("entry_links") as table:
        table.add_column(sa.Column("used_by", sa.Text))
