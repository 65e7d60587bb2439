"""An agent that approves a pull request is seen doing so, and the next push tells as whom."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from support_agent import Agent
from support_git import commit, git, head
from support_hooked import copy_hooked, make_remote, push, records
from support_in_process import said

from foureyes.hooks.evidence import Evidence
from foureyes.hooks.repo import Repo
from foureyes.hooks.seen_reviews import each_once
from foureyes.shared.record import Record, Reviewed

APPROVE = "gh pr review 12 --approve"


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    return copy_hooked(tmp_path / "repo")


@pytest.fixture
def remote(repo: Path, tmp_path: Path) -> Path:
    return make_remote(repo, tmp_path / "remote.git")


@pytest.fixture
def logged_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """`gh` as it answers about its own configuration, and does all else."""

    def put(login: str) -> None:
        (tmp_path / "bin").mkdir(exist_ok=True)
        program = tmp_path / "bin" / "gh"
        program.write_text(f'#!/bin/sh\ncase $1 in config) echo "{login}" ;; esac\n')
        program.chmod(0o755)

    put("")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    return put


def told(record: Record) -> list[tuple[str, str]]:
    return [(review.account, review.agent) for review in record.reviews]


def test_the_next_push_tells_as_whom_an_agent_approved_and_only_once(
    repo: Path, remote: Path, logged_in: Callable[[str], None]
):
    git(repo, "checkout", "-q", "-b", "work")
    logged_in("ana")
    first = commit(repo, {"f": "by hand\n"}, "first")
    Agent(repo).shell(APPROVE)
    Agent(repo, session="another").shell(f"{APPROVE} || true")
    second = commit(repo, {"f": "by hand\nmore\n"}, "second")
    push(repo, "origin", "work")
    found = records(remote, "work")
    assert told(found[first]) == []
    assert told(found[second]) == [("ana", "claude-code")] * 2
    assert found[second].cls == "human", "who reviews has not written it"
    assert "as @ana, by claude-code" in said(repo, "show", "HEAD")
    third = commit(repo, {"f": "by hand\n"}, "third")
    push(repo, "origin", "work")
    assert told(records(remote, "work")[third]) == []


def test_a_review_after_the_push_is_told_by_publish(
    repo: Path, remote: Path, logged_in: Callable[[str], None]
):
    logged_in("ana")
    git(repo, "checkout", "-q", "-b", "work")
    made = commit(repo, {"f": "by hand\n"}, "first")
    push(repo, "-u", "origin", "work")
    Agent(repo).shell(APPROVE)
    assert told(records(remote, "work")[made]) == []
    said(repo, "publish")
    assert told(records(remote, "work")[made]) == [("ana", "claude-code")]


def test_without_a_login_it_is_the_person_whose_machine_it_is(
    repo: Path, remote: Path, logged_in: Callable[[str], None]
):
    logged_in("")
    Agent(repo).shell(APPROVE)
    commit(repo, {"f": "by hand\n"}, "first")
    push(repo, "origin", "main:work")
    assert told(records(remote, "work")[head(repo)]) == [("olga", "claude-code")]


def test_what_was_told_stays_with_the_commit_when_it_is_made_again(
    repo: Path, remote: Path, logged_in: Callable[[str], None]
):
    logged_in("ana")
    git(repo, "checkout", "-q", "-b", "work")
    Agent(repo).shell(APPROVE)
    commit(repo, {"f": "by hand\n"}, "first")
    push(repo, "origin", "work")
    git(repo, "commit", "-q", "--amend", "-m", "reworded")
    push(repo, "-f", "origin", "work")
    assert told(records(remote, "work")[head(repo)]) == [("ana", "claude-code")]


def test_where_nothing_is_pushed_nothing_is_forgotten(
    repo: Path, remote: Path, logged_in: Callable[[str], None]
):
    logged_in("ana")
    Agent(repo).shell(APPROVE)
    push(repo, "origin", "main")
    store = Evidence(Repo.open(repo).home)
    assert store.told_reviews() == 0
    (review,) = store.reviews_since(0)
    (Repo.open(repo).home / "evidence" / "reviews-told").write_text("junk")
    assert store.told_reviews() == 0
    store.mark_reviews_told(review.tick_ended)
    assert store.reviews_since(store.told_reviews()) == ()


def test_the_newest_fifty_and_each_account_agent_and_session_once():
    many = [Reviewed(f"a{n}", "x", "", n) for n in range(60)]
    assert each_once(many) == tuple(many[10:])
    assert each_once([Reviewed("Ana", "x", "", 1), Reviewed("ana", "x", "", 2)]) == (
        Reviewed("ana", "x", "", 2),
    )
