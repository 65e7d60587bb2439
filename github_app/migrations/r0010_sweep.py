"""The sweep: what is under way and where it goes on, what was read when, and how each repository was left."""

import sqlalchemy as sa
from alembic import op

revision = "r0010"
down_revision = "r0004"


def upgrade() -> None:
    op.create_table(
        "errand",
        sa.Column("key", sa.String(64), primary_key=True),
        sa.Column("installation_id", sa.BigInteger, nullable=False),
        sa.Column("due_at", sa.BigInteger, nullable=False),
        sa.Column("lease_until", sa.BigInteger, nullable=False),
        sa.Column("owner", sa.String(64), nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("place", sa.Text, nullable=False),
        sa.Column("began_at", sa.BigInteger, nullable=False),
        sa.Column("done_at", sa.BigInteger),
        sa.Column("last_error", sa.Text, nullable=False),
    )
    op.create_index("errand_due", "errand", ["due_at"])
    op.create_table(
        "pull_read",
        sa.Column("repository_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("pull", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("installation_id", sa.BigInteger, nullable=False),
        sa.Column("head", sa.String(64), nullable=False),
        sa.Column("read_at", sa.BigInteger, nullable=False),
    )
    op.create_index("pull_read_installation", "pull_read", ["installation_id"])
    op.create_table(
        "repository_swept",
        sa.Column("repository_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("installation_id", sa.BigInteger, nullable=False),
        sa.Column("until", sa.BigInteger, nullable=False),
        sa.Column("tip", sa.String(64), nullable=False),
        sa.Column("records", sa.LargeBinary),
    )
    op.create_index("repository_swept_installation", "repository_swept", ["installation_id"])
