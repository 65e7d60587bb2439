"""An index for who pushed a commit, to whichever branch."""

from alembic import op

revision = "r0013"
down_revision = "r0012"


def upgrade() -> None:
    op.create_index("push_seen_commit", "push_seen", ["after"])
