"""The tables, the same on SQLite and on PostgreSQL. All times are integer milliseconds since 1970, UTC.

A change here needs a step in `migrations/` (a test compares the two).
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    false,
    text,
)


class Told(TypeDecorator[str]):
    """Text that others wrote, or that quotes them. PostgreSQL keeps no NUL, and neither database half a surrogate pair:
    whatever holds one is kept with another sign in its place, so that an odd text never keeps a failure, an alert or
    a decision from being stored.
    """

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, _dialect: object) -> str | None:
        return value if value is None else value.replace("\0", "\ufffd").encode("utf-8", "replace").decode()


metadata = MetaData()
_PENDING = text("gen > done_gen")

delivery = Table(
    "delivery",
    metadata,
    Column("guid", String(64), primary_key=True),
    Column("event", String(64), nullable=False),
    Column("action", String(64), nullable=False),
    Column("received_at", BigInteger, nullable=False),
    Column("received_count", Integer, nullable=False),
    Column("payload", LargeBinary, nullable=False),  # zlib
    Column("payload_sha256", String(64), nullable=False),
    Column("note", Told, nullable=False),  # why nothing was woken, or what was noticed
    Column("decided_at", BigInteger),
    Index("delivery_decided", "decided_at"),
)

# Which generation of which lane has to be done before a delivery is decided.
delivery_awaits = Table(
    "delivery_awaits",
    metadata,
    Column("guid", String(64), primary_key=True),
    Column("lane", Text, primary_key=True),
    Column("gen", BigInteger, nullable=False),
    Index("delivery_awaits_lane", "lane", "gen"),
)

work = Table(
    "work",
    metadata,
    Column("key", Text, primary_key=True),
    Column("installation_id", BigInteger, nullable=False),
    Column("repository_id", BigInteger, nullable=False),
    Column("slug", Text, nullable=False),
    Column("head", String(64), nullable=False),
    Column("ref", Text, nullable=False),
    Column("pull", BigInteger),  # a hint: the last pull request heard of with this head
    Column("gen", BigInteger, nullable=False),
    Column("done_gen", BigInteger, nullable=False),
    Column("due_at", BigInteger, nullable=False),
    Column("not_before", BigInteger, nullable=False),  # GitHub asked us to wait until then
    Column("lease_until", BigInteger, nullable=False),
    Column("owner", String(64), nullable=False),
    Column("tries", Integer, nullable=False),
    Column("last_error", Told, nullable=False),
    Column("done_at", BigInteger),
    Column("live", Boolean, nullable=False),  # the head still has an open pull request into a gated branch
    Column("green", Boolean, nullable=False),  # our check on it says success
    Column("look_at", BigInteger),  # when the sweep wakes it without an event
    # what is pending is a look that time alone asks for, of a head that shows no success: all others spend first
    Column("routine", Boolean, nullable=False, server_default=false()),
    Index("work_pending", "due_at", "key", sqlite_where=_PENDING, postgresql_where=_PENDING),
    Index("work_done", "done_at"),
    Index("work_repository", "repository_id"),
    Index("work_look", "live", "look_at"),
)

push_seen = Table(
    "push_seen",
    metadata,
    Column(
        "repository_id", BigInteger, primary_key=True, autoincrement=False
    ),  # where the branch is: a fork's own id
    Column("ref", Text, primary_key=True),  # refs/heads/...
    Column("after", String(64), primary_key=True),
    Column("account_id", BigInteger, primary_key=True, autoincrement=False),  # 0: GitHub named nobody
    Column(
        "pull_repository_id", BigInteger, primary_key=True
    ),  # 0: told by a push event, not by a pull request's
    Column("pull", BigInteger, primary_key=True, autoincrement=False),
    Column("before", String(64), primary_key=True),  # a branch can come to one commit from several
    Column("login", Told, nullable=False),
    Column("kind", String(32), nullable=False),
    Column("seen_at", BigInteger, nullable=False),
    Index("push_seen_pull", "pull_repository_id", "pull"),
    Index("push_seen_branch", "repository_id", "ref", "seen_at"),
    Index("push_seen_commit", "after"),
)

review_seen = Table(
    "review_seen",
    metadata,
    Column("review_id", BigInteger, primary_key=True, autoincrement=False),
    Column("repository_id", BigInteger, nullable=False),
    Column("pull", BigInteger, nullable=False),
    Column("account_id", BigInteger, nullable=False),
    Column("state", String(32), nullable=False),
    Column("commit", String(64), nullable=False),
    Column("head", String(64), nullable=False),
    Column("base", String(64), nullable=False),
    Column("base_ref", Text, nullable=False),
    Column("seen_at", BigInteger, nullable=False),
    Index("review_seen_pull", "repository_id", "pull"),
)

record_seen = Table(
    "record_seen",
    metadata,
    Column("repository_id", BigInteger, primary_key=True, autoincrement=False),
    Column("commit", String(64), primary_key=True),
    Column("sha256", String(64), primary_key=True),  # over the record and its envelopes' digests
    Column("record", LargeBinary, nullable=False),  # zlib
    Column("envelopes", Text, nullable=False),  # sha256 of each, sorted, by spaces
    Column("seen_at", BigInteger, nullable=False),
)

# One push's envelope covers many commits: kept once.
envelope_seen = Table(
    "envelope_seen",
    metadata,
    Column("repository_id", BigInteger, primary_key=True, autoincrement=False),
    Column("sha256", String(64), primary_key=True),
    Column("envelope", LargeBinary, nullable=False),  # zlib
    Column("seen_at", BigInteger, nullable=False),
)

# Which agents other tools' notes named, the repository's own or those of a fork.
note_seen = Table(
    "note_seen",
    metadata,
    Column("repository_id", BigInteger, primary_key=True, autoincrement=False),
    Column("pull", BigInteger, primary_key=True, autoincrement=False),  # 0: not by a pull request from a fork
    Column("commit", String(64), primary_key=True),
    Column("agent", String(64), primary_key=True),  # the catalogue's id
    Column("seen_at", BigInteger, nullable=False),
)

policy_seen = Table(
    "policy_seen",
    metadata,
    Column("repository_id", BigInteger, primary_key=True, autoincrement=False),
    Column("oid", String(64), primary_key=True),  # of the blob
    Column("text", Told, nullable=False),
    Column("good", Boolean, nullable=False),
    Column("seen_at", BigInteger, nullable=False),  # last time
)

# Whom a name in a policy meant when it was first seen there: an account's id, or a team's.
name_pinned = Table(
    "name_pinned",
    metadata,
    Column("repository_id", BigInteger, primary_key=True, autoincrement=False),
    Column("name", Text, primary_key=True),
    Column("id", BigInteger, nullable=False),
    Column("pinned_at", BigInteger, nullable=False),
)

# Every evaluator that has worked on this database: an older one than the newest of them looks at nothing.
evaluator_at_work = Table(
    "evaluator_at_work",
    metadata,
    Column("version", BigInteger, primary_key=True, autoincrement=False),
    Column("since", BigInteger, nullable=False),
)

# An organisation's floor, as its policy file in its repository `.github` was.
floor_seen = Table(
    "floor_seen",
    metadata,
    Column("owner_id", BigInteger, primary_key=True, autoincrement=False),
    Column(
        "oid", String(64), primary_key=True
    ),  # of the blob; "": it was there before, and was not to be seen
    Column("text", Told, nullable=False),
    Column("good", Boolean, nullable=False),
    Column("seen_at", BigInteger, nullable=False),  # last time
)

decision = Table(
    "decision",
    metadata,
    Column("id", String(26), primary_key=True),
    Column("repository_id", BigInteger, nullable=False),
    Column("slug", Text, nullable=False),
    Column("pull", BigInteger, nullable=False),
    Column("head", String(64), nullable=False),
    Column("base_ref", Text, nullable=False),
    Column("made_at", BigInteger, nullable=False),
    Column("evaluator", String(64), nullable=False),
    Column("policy_oid", String(64), nullable=False),
    Column("policy", Text, nullable=False),
    Column("policy_sha256", String(64), nullable=False),
    Column("facts", LargeBinary, nullable=False),  # zlib
    Column("facts_sha256", String(64), nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("verdict", LargeBinary, nullable=False),  # canonical bytes
    Column("verdict_sha256", String(64), nullable=False),
    Column("title", Told, nullable=False),
    Column("check_run_id", BigInteger),
    Column("floor_sha256", String(64)),  # "": none could be read; null: decided before this was kept
    Index("decision_pull", "repository_id", "pull", "made_at"),
    Index("decision_head", "repository_id", "head", "made_at"),
    Index("decision_base", "repository_id", "base_ref"),
    Index("decision_made", "made_at"),
)

# What came onto a gated branch, step by step along first parents, held against the decisions.
landing = Table(
    "landing",
    metadata,
    Column("repository_id", BigInteger, primary_key=True, autoincrement=False),
    Column("ref", Text, primary_key=True),  # refs/heads/...
    Column("after", String(64), primary_key=True),
    Column("before", String(64), nullable=False),
    Column("head", String(64), nullable=False),  # of the pull request that it came from, "" for none
    Column("pull", BigInteger),
    Column("decision", String(26), nullable=False),  # "" for none
    Column("finding", String(32), nullable=False),  # `decided`, `observed` or an alert's kind
    Column("account_id", BigInteger, nullable=False),  # who pushed; 0: not witnessed
    Column("login", Told, nullable=False),
    Column("landed_at", BigInteger, nullable=False),  # when it was looked at
    Index("landing_head", "repository_id", "head"),
    Index("landing_time", "repository_id", "ref", "landed_at"),
)

alert = Table(
    "alert",
    metadata,
    Column("id", String(26), primary_key=True),
    Column("repository_id", BigInteger, nullable=False),
    Column("slug", Text, nullable=False),
    Column("kind", String(32), nullable=False),
    Column("ref", Text, nullable=False),
    Column("commit", String(64), nullable=False),
    Column("pull", BigInteger),
    Column("decision", String(26), nullable=False),
    Column("grave", Boolean, nullable=False),
    Column("title", Told, nullable=False),
    Column("text", Told, nullable=False),
    Column("raised_at", BigInteger, nullable=False),
    Column("check_run_id", BigInteger),  # null: not shown yet; 0: there is nowhere to show it
    Column("issue", BigInteger),  # the number of the issue that tells it
    Column("again", BigInteger, nullable=False, server_default="0"),  # how often the same happened before
    UniqueConstraint("repository_id", "kind", "ref", "commit", "again", name="alert_once"),
    Index("alert_time", "raised_at"),
)

# The record of a commit that a branch's record ref held at the last look.
record_shown = Table(
    "record_shown",
    metadata,
    Column("repository_id", BigInteger, primary_key=True, autoincrement=False),
    Column("branch", Text, primary_key=True),
    Column("commit", String(64), primary_key=True),
    Column("sha256", String(64), nullable=False),
)

# Whose review was asked for, once for each content of a pull request.
review_asked = Table(
    "review_asked",
    metadata,
    Column("repository_id", BigInteger, primary_key=True, autoincrement=False),
    Column("pull", BigInteger, primary_key=True, autoincrement=False),
    Column("content", String(64), primary_key=True),
    Column("account_id", BigInteger, primary_key=True, autoincrement=False),
    Column("asked_at", BigInteger, nullable=False),
    Column("refused", Boolean, nullable=False),  # GitHub lets nobody ask this account
)
