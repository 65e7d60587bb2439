"""A branch that comes to a commit again comes from somewhere else, and what happens again is an alert again."""

import sqlalchemy as sa
from alembic import op

revision = "r0018"
down_revision = "r0017"

_KEY = ["repository_id", "ref", "after", "account_id", "pull_repository_id", "pull", "before"]
_INDEXES = {
    "push_seen_pull": ["pull_repository_id", "pull"],
    "push_seen_branch": ["repository_id", "ref", "seen_at"],
    "push_seen_commit": ["after"],
}


def upgrade() -> None:
    with op.batch_alter_table("alert") as alert:
        alert.add_column(sa.Column("again", sa.BigInteger, nullable=False, server_default="0"))
        alert.drop_constraint("alert_once", type_="unique")
        alert.create_unique_constraint("alert_once", ["repository_id", "kind", "ref", "commit", "again"])
    if op.get_context().dialect.name == "postgresql":
        op.drop_constraint("push_seen_pkey", "push_seen", type_="primary")
        op.create_primary_key("push_seen_pkey", "push_seen", _KEY)
    else:
        _push_seen_made_anew()


def _push_seen_made_anew() -> None:
    """SQLite changes no key of a table that is there."""
    for name in _INDEXES:
        op.drop_index(name, "push_seen")
    op.rename_table("push_seen", "push_seen_before")
    op.create_table(
        "push_seen",
        sa.Column("repository_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("ref", sa.Text, primary_key=True),
        sa.Column("after", sa.String(64), primary_key=True),
        sa.Column("account_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("pull_repository_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("pull", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("before", sa.String(64), primary_key=True),
        sa.Column("login", sa.Text, nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("seen_at", sa.BigInteger, nullable=False),
    )
    op.execute(
        "insert into push_seen (repository_id, ref, after, account_id, pull_repository_id, pull, before, login, kind, "
        "seen_at) select repository_id, ref, after, account_id, pull_repository_id, pull, before, login, kind, seen_at "
        "from push_seen_before"
    )
    op.drop_table("push_seen_before")
    for name, columns in _INDEXES.items():
        op.create_index(name, "push_seen", columns)
