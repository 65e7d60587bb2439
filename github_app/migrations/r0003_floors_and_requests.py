"""Floors have a table of their own, decisions the digest of the floor that they were made by; whose review was asked
for on which content, and the issue that tells an alert.
"""

import sqlalchemy as sa
from alembic import op

revision = "r0003"
down_revision = "r0002"


def upgrade() -> None:
    _floors()
    op.add_column("decision", sa.Column("floor_sha256", sa.String(64)))
    op.add_column("alert", sa.Column("issue", sa.BigInteger))
    op.create_table(
        "review_asked",
        sa.Column("repository_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("pull", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("content", sa.String(64), primary_key=True),
        sa.Column("account_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("asked_at", sa.BigInteger, nullable=False),
        sa.Column("refused", sa.Boolean, nullable=False),
    )


def _floors() -> None:
    """They were kept among the policies, under the owner's id with a minus sign."""
    op.create_table(
        "floor_seen",
        sa.Column("owner_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("oid", sa.String(64), primary_key=True),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("good", sa.Boolean, nullable=False),
        sa.Column("seen_at", sa.BigInteger, nullable=False),
    )
    op.execute(
        "insert into floor_seen (owner_id, oid, text, good, seen_at) "
        "select -repository_id, oid, text, good, seen_at from policy_seen where repository_id < 0"
    )
    op.execute("delete from policy_seen where repository_id < 0")
