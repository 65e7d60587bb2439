"""What landed on gated branches, what was found wrong with it, and which record each branch showed last."""

import sqlalchemy as sa
from alembic import op

revision = "r0002"
down_revision = "r0001"


def upgrade() -> None:
    op.create_table(
        "landing",
        sa.Column("repository_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("ref", sa.Text, primary_key=True),
        sa.Column("after", sa.String(64), primary_key=True),
        sa.Column("before", sa.String(64), nullable=False),
        sa.Column("head", sa.String(64), nullable=False),
        sa.Column("pull", sa.BigInteger),
        sa.Column("decision", sa.String(26), nullable=False),
        sa.Column("finding", sa.String(32), nullable=False),
        sa.Column("account_id", sa.BigInteger, nullable=False),
        sa.Column("login", sa.Text, nullable=False),
        sa.Column("landed_at", sa.BigInteger, nullable=False),
    )
    op.create_index("landing_head", "landing", ["repository_id", "head"])
    op.create_index("landing_time", "landing", ["repository_id", "ref", "landed_at"])
    op.create_table(
        "alert",
        sa.Column("id", sa.String(26), primary_key=True),
        sa.Column("repository_id", sa.BigInteger, nullable=False),
        sa.Column("slug", sa.Text, nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("ref", sa.Text, nullable=False),
        sa.Column("commit", sa.String(64), nullable=False),
        sa.Column("pull", sa.BigInteger),
        sa.Column("decision", sa.String(26), nullable=False),
        sa.Column("grave", sa.Boolean, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("raised_at", sa.BigInteger, nullable=False),
        sa.Column("check_run_id", sa.BigInteger),
        sa.UniqueConstraint("repository_id", "kind", "ref", "commit", name="alert_once"),
    )
    op.create_index("alert_time", "alert", ["raised_at"])
    op.create_table(
        "record_shown",
        sa.Column("repository_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("branch", sa.Text, primary_key=True),
        sa.Column("commit", sa.String(64), primary_key=True),
        sa.Column("sha256", sa.String(64), nullable=False),
    )
