"""Indexes for what is due and what is old: neither asking for work nor purging reads what is done."""

import sqlalchemy as sa
from alembic import op

revision = "r0004"
down_revision = "r0003"


def upgrade() -> None:
    pending = sa.text("gen > done_gen")
    op.drop_index("work_due", "work")
    op.create_index("work_pending", "work", ["due_at", "key"], sqlite_where=pending, postgresql_where=pending)
    op.create_index("work_done", "work", ["done_at"])
    op.create_index("delivery_decided", "delivery", ["decided_at"])
    op.create_index("decision_made", "decision", ["made_at"])
