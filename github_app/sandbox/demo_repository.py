"""The demo on a copy of one's own repository: its newest tree becomes the sandbox's, with a policy for one folder."""

from collections import Counter
from pathlib import Path

from foureyes.github_app.sandbox.demo_stage import CannotPlay, Stage
from foureyes.github_app.sandbox.demo_story import Plot
from foureyes.shared.errors import UserError

_POLICY = 'version: 1\nroster: ["@acme/engineers", "@acme/reviewers"]\nprotected: ["/{folder}/**"]\n'


def on_a_copy(stage: Stage, repo: Path) -> Plot:
    """Reads `repo` through git and writes nothing to it. Raises CannotPlay if there is nothing to play on."""
    where = stage.clone("noor")
    run = stage.git
    try:
        # one commit deep: a clone may be shallow itself, and a long history would tell nothing more here
        run("noor", "fetch", "-q", "--no-tags", "--depth=1", repo.resolve().as_uri(), "HEAD", cwd=where)
    except UserError as error:
        raise CannotPlay(
            f"{repo} cannot be copied from", why=error.why, next_step="name a clone with at least one commit"
        ) from error
    start = run("noor", "commit-tree", "FETCH_HEAD^{tree}", "-m", f"A copy of {repo.name}", cwd=where)
    run("noor", "checkout", "-q", "-B", "main", start, cwd=where)
    plot = _plot(run("noor", "ls-files", "-s", "-z", cwd=where), repo)
    policy = where / ".github" / "foureyes.yml"
    policy.parent.mkdir(exist_ok=True)
    policy.write_text(_POLICY.format(folder=plot.protected))
    run("noor", "add", "-f", str(policy), cwd=where)
    run("noor", "commit", "-q", "--no-verify", "-m", "Protect a folder", cwd=where)
    run("noor", "push", "-q", "--force", "origin", "HEAD:main", cwd=where)
    return plot


def _plot(listed: str, repo: Path) -> Plot:
    """The folder with the most plain files is the protected one."""
    entries = (entry.split("\t", 1) for entry in listed.split("\0") if entry)
    files = [path for meta, path in entries if meta.startswith("100") and path.isprintable()]
    folders = Counter(
        path.split("/")[0] for path in files if "/" in path and not path.startswith((".", "docs/"))
    )
    for folder, many in folders.most_common():
        if many >= 2:
            first, second = sorted(path for path in files if path.startswith(f"{folder}/"))[:2]
            return Plot(folder, first, second, "foureyes-demo.md")
    raise CannotPlay(f"{repo} has no folder with two files", next_step="name another repository with --repo")
