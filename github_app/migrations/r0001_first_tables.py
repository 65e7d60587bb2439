"""The first tables: the inbox, the lanes, what was witnessed, and the decisions."""

import sqlalchemy as sa
from alembic import op

revision = "r0001"
down_revision = None


def upgrade() -> None:
    _inbox()
    _witnessed()
    _records()
    _decisions()


def _inbox() -> None:
    op.create_table(
        "delivery",
        sa.Column("guid", sa.String(64), primary_key=True),
        sa.Column("event", sa.String(64), nullable=False),
        sa.Column("action", sa.String(64), nullable=False),
        sa.Column("received_at", sa.BigInteger, nullable=False),
        sa.Column("received_count", sa.Integer, nullable=False),
        sa.Column("payload", sa.LargeBinary, nullable=False),
        sa.Column("payload_sha256", sa.String(64), nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("decided_at", sa.BigInteger),
    )
    op.create_table(
        "delivery_awaits",
        sa.Column("guid", sa.String(64), primary_key=True),
        sa.Column("lane", sa.Text, primary_key=True),
        sa.Column("gen", sa.BigInteger, nullable=False),
    )
    op.create_index("delivery_awaits_lane", "delivery_awaits", ["lane", "gen"])
    op.create_table(
        "work",
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("installation_id", sa.BigInteger, nullable=False),
        sa.Column("repository_id", sa.BigInteger, nullable=False),
        sa.Column("slug", sa.Text, nullable=False),
        sa.Column("head", sa.String(64), nullable=False),
        sa.Column("ref", sa.Text, nullable=False),
        sa.Column("pull", sa.BigInteger),
        sa.Column("gen", sa.BigInteger, nullable=False),
        sa.Column("done_gen", sa.BigInteger, nullable=False),
        sa.Column("due_at", sa.BigInteger, nullable=False),
        sa.Column("not_before", sa.BigInteger, nullable=False),
        sa.Column("lease_until", sa.BigInteger, nullable=False),
        sa.Column("owner", sa.String(64), nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("last_error", sa.Text, nullable=False),
        sa.Column("done_at", sa.BigInteger),
        sa.Column("live", sa.Boolean, nullable=False),
        sa.Column("green", sa.Boolean, nullable=False),
        sa.Column("look_at", sa.BigInteger),
    )
    op.create_index("work_due", "work", ["due_at"])
    op.create_index("work_repository", "work", ["repository_id"])
    op.create_index("work_look", "work", ["live", "look_at"])


def _witnessed() -> None:
    op.create_table(
        "push_seen",
        sa.Column("repository_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("ref", sa.Text, primary_key=True),
        sa.Column("after", sa.String(64), primary_key=True),
        sa.Column("account_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("pull_repository_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("pull", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("before", sa.String(64), nullable=False),
        sa.Column("login", sa.Text, nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("seen_at", sa.BigInteger, nullable=False),
    )
    op.create_index("push_seen_pull", "push_seen", ["pull_repository_id", "pull"])
    op.create_table(
        "review_seen",
        sa.Column("review_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("repository_id", sa.BigInteger, nullable=False),
        sa.Column("pull", sa.BigInteger, nullable=False),
        sa.Column("account_id", sa.BigInteger, nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("commit", sa.String(64), nullable=False),
        sa.Column("head", sa.String(64), nullable=False),
        sa.Column("base", sa.String(64), nullable=False),
        sa.Column("base_ref", sa.Text, nullable=False),
        sa.Column("seen_at", sa.BigInteger, nullable=False),
    )
    op.create_index("review_seen_pull", "review_seen", ["repository_id", "pull"])
    op.create_table(
        "policy_seen",
        sa.Column("repository_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("oid", sa.String(64), primary_key=True),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("good", sa.Boolean, nullable=False),
        sa.Column("seen_at", sa.BigInteger, nullable=False),
    )


def _records() -> None:
    op.create_table(
        "record_seen",
        sa.Column("repository_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("commit", sa.String(64), primary_key=True),
        sa.Column("sha256", sa.String(64), primary_key=True),
        sa.Column("record", sa.LargeBinary, nullable=False),
        sa.Column("envelopes", sa.Text, nullable=False),
        sa.Column("seen_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "envelope_seen",
        sa.Column("repository_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("sha256", sa.String(64), primary_key=True),
        sa.Column("envelope", sa.LargeBinary, nullable=False),
        sa.Column("seen_at", sa.BigInteger, nullable=False),
    )


def _decisions() -> None:
    op.create_table(
        "decision",
        sa.Column("id", sa.String(26), primary_key=True),
        sa.Column("repository_id", sa.BigInteger, nullable=False),
        sa.Column("slug", sa.Text, nullable=False),
        sa.Column("pull", sa.BigInteger, nullable=False),
        sa.Column("head", sa.String(64), nullable=False),
        sa.Column("base_ref", sa.Text, nullable=False),
        sa.Column("made_at", sa.BigInteger, nullable=False),
        sa.Column("evaluator", sa.String(64), nullable=False),
        sa.Column("policy_oid", sa.String(64), nullable=False),
        sa.Column("policy", sa.Text, nullable=False),
        sa.Column("policy_sha256", sa.String(64), nullable=False),
        sa.Column("facts", sa.LargeBinary, nullable=False),
        sa.Column("facts_sha256", sa.String(64), nullable=False),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("verdict", sa.LargeBinary, nullable=False),
        sa.Column("verdict_sha256", sa.String(64), nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("check_run_id", sa.BigInteger),
    )
    op.create_index("decision_pull", "decision", ["repository_id", "pull", "made_at"])
    op.create_index("decision_head", "decision", ["repository_id", "head", "made_at"])
    op.create_index("decision_base", "decision", ["repository_id", "base_ref"])
