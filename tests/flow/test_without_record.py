"""Ways around the hooks, tried with the real ones: what they gain, end to end."""

from support_flow import CLAUDE
from support_git import HOOKS_OFF


def infra(text: str) -> dict[str, str | None]:
    return {"infra/network.tf": text}


def summary(town, number: int) -> str:
    return str(town.settled(number)["output"]["summary"])


def test_G9_an_agents_commit_with_no_verify_is_recorded_all_the_same(town):
    """git then skips pre-commit and commit-msg; the hooks that record run."""
    branch = town.branch()
    for name, text in infra("G9\n").items():
        (town.clone / name).write_text(text)
    town.git("commit", "-q", "-a", "--no-verify", "-m", "Change", agent=CLAUDE)
    number = town.open(branch)
    assert "Evidence of Claude Code: signed record" in summary(town, number)
    town.approve(number, "olga", "rita")
    assert not town.passes(number)
    town.approve(number, "sam")
    assert town.passes(number)


def test_G8_a_commit_whose_record_was_stripped_counts_as_one_without(town):
    branch = town.branch()
    commit = town.commit(infra("G8\n"))
    off = HOOKS_OFF
    town.git(*off, "commit", "-q", "--amend", "-m", "No trailers")
    town.git("update-ref", "-d", "refs/notes/foureyes")
    assert town.git("rev-parse", "HEAD") != commit
    number = town.open(branch, "raj", "--no-verify")
    town.approve(number, "rita")
    check = town.settled(number)
    assert check["output"]["title"] == "Waiting: 1 of 2 humans. 1 commit has no record"
    town.approve(number, "sam")
    assert town.passes(number)


def test_G10_a_commit_made_by_plumbing_counts_as_one_without(town):
    branch = town.branch()
    (town.clone / "infra/plumbed.tf").write_text("G10\n")
    town.git("add", "-A", agent=CLAUDE)
    tree = town.git("write-tree", agent=CLAUDE)
    made = town.git("commit-tree", tree, "-p", "HEAD", "-m", "Change", agent=CLAUDE)
    town.git("update-ref", f"refs/heads/{branch}", made, agent=CLAUDE)
    number = town.open(branch)
    town.approve(number, "rita")
    check = town.settled(number)
    assert check["output"]["title"].startswith("Waiting: 1 of 2 humans. Next: ")
    assert "has a record that does not settle who wrote it" in check["output"]["summary"]
    assert "nobody saw who wrote it" in check["output"]["summary"]
    town.approve(number, "sam")
    assert town.passes(number)


def test_G54_a_branch_below_the_name_of_a_deleted_one_brings_its_records(town):
    town.git("fetch", "-q", "origin")
    town.git("checkout", "-q", "-B", "g54", "origin/main")
    town.commit(infra("G54, first\n"))
    town.git("push", "-q", "origin", "g54")
    town.git("push", "-q", "origin", ":g54")
    town.git("checkout", "-q", "--detach")
    town.git("branch", "-q", "-D", "g54")
    town.git("checkout", "-q", "-B", "g54/below", "origin/main")
    town.commit(infra("G54, second\n"))
    number = town.open("g54/below")
    assert "Evidence of Claude Code: signed record" in summary(town, number)
