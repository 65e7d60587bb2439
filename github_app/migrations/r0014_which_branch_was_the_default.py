"""Which branch was the default one when a repository was swept, so that the sweep sees another one in its place."""

import sqlalchemy as sa
from alembic import op

revision = "r0014"
down_revision = "r0013"


def upgrade() -> None:
    op.add_column("repository_swept", sa.Column("ref", sa.Text))
