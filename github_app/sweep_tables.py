"""Tables of the sweep. What they hold may be lost: then everything is looked at once more."""

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, String, Table, Text

from foureyes.github_app.tables import Told, metadata

# What the sweep goes and asks, again and again: one row for each thing to ask, in the hands of one process at a time.
errand = Table(
    "errand",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("installation_id", BigInteger, nullable=False),  # 0: asked as the App
    Column("due_at", BigInteger, nullable=False),
    Column("lease_until", BigInteger, nullable=False),
    Column("owner", String(64), nullable=False),
    Column("tries", Integer, nullable=False),
    Column("place", Text, nullable=False),  # where to go on; "" at the beginning of a round
    Column("began_at", BigInteger, nullable=False),  # this round; as due_at: not yet
    Column("done_at", BigInteger),  # the last whole round
    Column("last_error", Told, nullable=False),
    Index("errand_due", "due_at"),
)

# When an open pull request was last read, by GitHub's clock: what happened before was seen.
pull_read = Table(
    "pull_read",
    metadata,
    Column("repository_id", BigInteger, primary_key=True, autoincrement=False),
    Column("pull", BigInteger, primary_key=True, autoincrement=False),
    Column("installation_id", BigInteger, nullable=False),
    Column("head", String(64), nullable=False),
    Column("read_at", BigInteger, nullable=False),
    Index("pull_read_installation", "installation_id"),
)

# How the last whole sweep of a repository left it.
repository_swept = Table(
    "repository_swept",
    metadata,
    Column("repository_id", BigInteger, primary_key=True, autoincrement=False),
    Column("installation_id", BigInteger, nullable=False),
    Column("until", BigInteger, nullable=False),  # by GitHub's clock: later changes were not seen
    Column("tip", String(64), nullable=False),  # of the default branch
    Column("ref", Text),  # refs/heads/..., the default branch; null: swept before this was kept
    Column("records", LargeBinary),  # zlib: ref and object id of each record ref, by lines; null: never asked
    Index("repository_swept_installation", "installation_id"),
)
