"""Which looks time alone asks for, so that they leave a part of the budget to all others."""

import sqlalchemy as sa
from alembic import op

revision = "r0015"
down_revision = "r0014"


def upgrade() -> None:
    op.add_column("work", sa.Column("routine", sa.Boolean, nullable=False, server_default=sa.false()))
