"""Which agents other tools' notes on commits named, so that a note that is gone is not forgotten."""

import sqlalchemy as sa
from alembic import op

revision = "r0017"
down_revision = "r0016"


def upgrade() -> None:
    op.create_table(
        "note_seen",
        sa.Column("repository_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("pull", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("commit", sa.String(64), primary_key=True),
        sa.Column("agent", sa.String(64), primary_key=True),
        sa.Column("seen_at", sa.BigInteger, nullable=False),
    )
