"""A record, lists and envelopes to start from in tests."""

from dataclasses import replace

from foureyes.shared.facts import Change
from foureyes.shared.record import (
    Agent,
    Contributor,
    Operator,
    Parent,
    Record,
    Reviewed,
    Tool,
    Witnessed,
)

COMMIT, TREE, ZERO = "c" * 40, "d" * 40, "0" * 40

RECORD = Record(
    commit=COMMIT,
    tree=TREE,
    id="0197-x",
    repository="github.com/acme/shop",
    cls="ai",
    files=(
        Change("infra/net.tf", "M", "100644", "100755", "1" * 40, "2" * 40, added=2, deleted=1),
        Change("infra/old\\xff.tf", "D", "100644", "000000", "3" * 40, ZERO, deleted=40),
        Change("logo.png", "A", "000000", "100644", ZERO, "4" * 40, binary=True),
    ),
    agents=(Agent("claude-code", "2.1", "opus", "s1", ("agent-hook", "journal")), Agent("codex")),
    contributors=(
        Contributor(
            "infra/net.tf", "removed", 3, 1, "ai", "claude-code", "2.1", "opus", "s1", "agent-hook", "high"
        ),
        Contributor("infra/net.tf", "added", 3, 2, "human", evidence="journal", confidence="low"),
        Contributor("logo.png", "added", 0, 0, "unknown"),
    ),
    operator=Operator("olga", "olga@example.com", "foureyes.login"),
    lineage=(Parent("e" * 40, "amend"),),
    witness=Witnessed("post-commit", 1_790_000_000, "commit"),
    hooks=("prepare-commit-msg", "post-commit"),
    tool=Tool("foureyes", "0.1.0"),
    operators=(
        Operator("olga", "olga@example.com", "foureyes.login"),
        Operator("", "raj@example.com", "git"),
    ),
    reviews=(Reviewed("ben", "claude-code", "s1", 1_790_000_001),),
)

HUMAN = replace(RECORD, cls="human", agents=(), contributors=(), operators=(), reviews=())
