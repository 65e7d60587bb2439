"""Which versions of the evaluator have worked on this database, so that an older one beside a newer one stops."""

import sqlalchemy as sa
from alembic import op

revision = "r0016"
down_revision = "r0015"


def upgrade() -> None:
    op.create_table(
        "evaluator_at_work",
        sa.Column("version", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("since", sa.BigInteger, nullable=False),
    )
