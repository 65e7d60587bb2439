"""The one line at a push: what the change will need, told only when somebody has to wait.

A push is never held up for it: one git call where there is no policy; two more, and a look at the patterns, where
there is one; and only what may touch a protected path is looked at as `foureyes check` does. A branch with very many
commits of its own is not looked at.
"""

from collections.abc import Iterator, Sequence

from foureyes.hooks.build import Builder
from foureyes.hooks.policy_file import POLICY
from foureyes.hooks.publish import Branch
from foureyes.hooks.remote import Remote
from foureyes.hooks.repo import Repo
from foureyes.shared import paths
from foureyes.shared.facts import Touch

_DEFAULTS = ("HEAD", "main", "master")
_MOST_COMMITS = 200
_MOST_HITS = 3
_MOST_NAMES = 5


def notice(repo: Repo, remote: Remote, branches: Sequence[Branch], builder: Builder) -> str:
    """`touches payments (tier 0): 2 humans needed, not you; can finish: @ana @raj`, or nothing.

    Of several branches the first that somebody waits for. May raise anything that reading can raise.
    """
    found = _policy(repo, remote)
    if found is None:
        return ""
    tip, text = found
    for branch in branches:
        if _may_matter(repo, tip, branch.tip, text):
            told = _told(repo, remote, branch, builder, text)
            if told:
                return told
    return ""


def _policy(repo: Repo, remote: Remote) -> tuple[str, bytes] | None:
    """The default branch's tip and its policy, as they were last fetched; one process."""
    if remote.name == remote.url:
        return None
    refs = [f"refs/remotes/{remote.name}/{name}" for name in _DEFAULTS]
    asked = "".join(f"{ref}\n{ref}:{POLICY}\n" for ref in refs).encode()
    out = repo.git("cat-file", "--batch", input=asked)
    answers = list(_batch(out))
    for tip, file in zip(answers[::2], answers[1::2], strict=True):
        if tip is not None:
            return (tip[0], file[1]) if file is not None else None
    return None


def _batch(out: bytes) -> Iterator[tuple[str, bytes] | None]:
    """(id, content) of each object asked for; None for one that is not there."""
    at = 0
    while at < len(out):
        end = out.index(b"\n", at)
        words = out[at:end].split(b" ")
        at = end + 1
        if len(words) == 3 and words[2].isdigit():
            size = int(words[2])
            yield words[0].decode("ascii"), out[at : at + size]
            at += size + 1
        else:
            yield None


def _may_matter(repo: Repo, base: str, tip: str, text: bytes) -> bool:
    from foureyes.shared.protection import may_touch
    from foureyes.shared.yaml_nodes import read_yaml

    value = read_yaml(text.decode("utf-8")).value
    if not isinstance(value, dict):
        return False
    counted = repo.git("rev-list", "--count", f"--max-count={_MOST_COMMITS + 1}", tip, f"^{base}")
    return 0 < int(counted) <= _MOST_COMMITS and may_touch(_patterns(value), _touched(repo, base, tip))


def _patterns(policy: dict[str | int, object]) -> Iterator[tuple[str, ...]]:
    systems = policy.get("systems")
    listed = [system.get("paths") for system in systems.values()] if isinstance(systems, dict) else []
    for lines in [policy.get("protected"), *listed]:
        if isinstance(lines, tuple):
            yield tuple(line for line in lines if isinstance(line, str))


def _touched(repo: Repo, base: str, tip: str) -> Iterator[Touch]:
    """Paths of every commit, against each of its parents: more than the closer look finds, never less."""
    options = ("--raw", "-z", "--format=", "--no-renames", "--no-show-signature", "--no-ext-diff", "-m")
    parts = filter(None, repo.git("log", *options, tip, f"^{base}").split(b"\0"))
    for meta, path in zip(parts, parts, strict=True):
        old_mode, new_mode = meta.strip().lstrip(b":").decode("ascii").split(" ")[:2]
        yield Touch(paths.decode(path), tip, old_mode, new_mode)


def _told(repo: Repo, remote: Remote, branch: Branch, builder: Builder, text: bytes) -> str:
    from foureyes.hooks import planned as plan
    from foureyes.hooks.check import judge
    from foureyes.hooks.local_facts import Planned
    from foureyes.shared.branches import is_gated
    from foureyes.shared.markup import both, count
    from foureyes.shared.policy import SHORT_FORM_SYSTEM
    from foureyes.shared.policy_text import parse_policy

    policy = parse_policy(text.decode("utf-8"))
    target = plan.target_of(repo, remote, "")
    name = branch.ref.removeprefix("refs/heads/")
    if policy.mode == "observe" or is_gated(name, policy, target.default):
        return ""
    planned = Planned(target.tip, branch.tip, target.branch, name, builder.login or "?")
    _, judgement = judge(repo, planned, builder, policy)
    case = judgement.case
    if judgement.verdict or not judgement.complete or not case.needed:
        return ""
    hits = [hit for hit in case.protection.hits if hit.tier < 3]
    names = {SHORT_FORM_SYSTEM: "protected paths"}
    where = both([f"{names.get(hit.system, hit.system)} (tier {hit.tier})" for hit in hits], _MOST_HITS)
    told = f"touches {where}: {count(case.needed, 'human')} needed, not you"
    handles = [account.handle for account in case.approvals.candidates]
    if not builder.login or not handles:
        return told
    more = f" and {len(handles) - _MOST_NAMES} more" if len(handles) > _MOST_NAMES else ""
    return f"{told}; can finish: {' '.join(handles[:_MOST_NAMES])}{more}"
