"""An index for where a branch was at a time."""

from alembic import op

revision = "r0012"
down_revision = "r0011"


def upgrade() -> None:
    op.create_index("push_seen_branch", "push_seen", ["repository_id", "ref", "seen_at"])
