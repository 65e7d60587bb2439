"""`foureyes explain OWNER/REPO#N`: the command against a sandbox, with a person's own token."""

import json
import os
import re
import stat
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from support_gate import SHOP, Gate, running_gate
from support_in_process import ended as in_process
from support_ssh import make_key

from foureyes.github_app.client import GitHubError
from foureyes.github_app.own_token import find_token, way_out
from foureyes.github_app.personal_client import PersonalGitHub
from foureyes.github_app.settings import read_database_url, read_github_url
from foureyes.shared.errors import UserError


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[Gate]:
    with running_gate(tmp_path) as gate:
        yield gate


def ended(
    gate: Gate, tmp_path: Path, *arguments: str, login: str = "ben", env: dict[str, str] | None = None
) -> tuple[int, str, str]:
    own = {
        "FOUREYES_GITHUB_URL": gate.sandbox.url,
        "FOUREYES_SANDBOX_TOKEN": gate.sandbox.environment()["FOUREYES_SANDBOX_TOKEN"],
        "GH_TOKEN": gate.sandbox.token(login),
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
    }
    status, out, err = in_process(tmp_path, "explain", *arguments, env={**own, **(env or {})})
    assert gate.sandbox.token(login) not in out + err
    return status, out, err


def told(gate: Gate, tmp_path: Path, number: int, **more: Any) -> tuple[int, dict[str, Any]]:
    status, out, err = ended(gate, tmp_path, f"{SHOP}#{number}", "--json", **more)
    assert out, err
    return status, json.loads(out)


def infra(gate: Gate, **options: object) -> str:
    return gate.change({"infra/network.tf": "changed\n"}, **options)


def test_it_gives_the_verdict_of_the_app_as_people_act(gate: Gate, tmp_path: Path) -> None:
    number = gate.open("olga", "feat", infra(gate), by="ben")
    gate.settle()
    status, out, err = ended(gate, tmp_path, f"{SHOP}#{number}")
    assert (status, err) == (3, "")
    assert out.splitlines()[0] == f"{SHOP}#{number} at {gate.pull(number).head[:7]}"
    assert out.splitlines()[1] == gate.check(number).title
    assert "without what the App has seen" in out
    assert "nobody here saw the reviews arrive" not in out
    gate.review("rita", number)
    gate.review("olga", number)
    gate.settle()
    status, answer = told(gate, tmp_path, number)
    assert (status, answer["title"]) == (3, gate.check(number).title)
    assert (answer["data"]["counted"], answer["data"]["needed"]) == (["rita"], 2)
    assert {"login": "olga", "why": answer["data"]["refused"][0]["why"], "code": "excluded"} in answer[
        "data"
    ]["refused"]
    assert answer["pull_request"] == f"{SHOP}#{number}"
    gate.review("sam", number)
    gate.settle()
    status, answer = told(gate, tmp_path, number)
    assert (status, answer["outcome"], gate.verdict(number)) == (0, "pass", "success")
    assert "saw the reviews arrive" in " ".join(answer["sections"]["Read from here"])


def test_what_a_mass_deletion_destroys_is_told_as_the_check_does(gate: Gate, tmp_path: Path) -> None:
    old = {f"infra/old/{n}.tf": "line\n" for n in range(11)}
    base = gate.change({**old, "infra/old/kept.tf": "line\n"})
    gate.push("noor", "main", base)
    number = gate.open("olga", "feat", gate.change(dict.fromkeys(old), base))
    gate.settle()
    said = "11 lines and 11 whole files (91 % of `infra/old/`); adds 0 lines."
    assert f"**Destroys:** {said}" in (gate.check(number).summary or "")
    _, answer = told(gate, tmp_path, number)
    assert answer["sections"]["Destroys"][0].startswith(said.replace("`", ""))


def test_signed_records_and_their_operator_are_read(gate: Gate, tmp_path: Path) -> None:
    key = make_key(tmp_path)
    gate.control(
        "POST", "keys", login="olga", key=key.public_line, kind="signing", created_at="2020-01-01T00:00:00Z"
    )
    head = infra(gate, author=("Ben", "ben@acme.example"))
    gate.publish("olga", "feat", head, key=key)
    number = gate.open("ben", "feat", head)
    status, answer = told(gate, tmp_path, number)
    assert (status, answer["data"]["class"]) == (3, "ai")
    assert {"ben", "olga"} <= {one["login"] for one in answer["data"]["excluded"]}


def test_an_approval_before_a_force_push_is_not_taken_for_one_of_this(gate: Gate, tmp_path: Path) -> None:
    number = gate.open("olga", "feat", infra(gate))
    for login in ("rita", "sam"):
        gate.review(login, number)
    gate.push("olga", "feat", gate.change({"infra/network.tf": "other\n"}))
    status, answer = told(gate, tmp_path, number)
    assert (status, answer["data"]["counted"]) == (3, [])


def test_it_is_the_check_of_all_pull_requests_with_the_head(gate: Gate, tmp_path: Path) -> None:
    """By itself this one passes."""
    branches = 'version: 1\nbranches: [side]\nroster: ["@acme/engineers"]\nprotected: ["infra/**"]\n'
    gate.push("noor", "main", gate.change({".github/foureyes.yml": branches}))
    head = infra(gate)
    gate.push("noor", "side", head)
    above = gate.change({"docs/new.md": "x\n"}, head)
    strict = gate.open("olga", "feat", above)
    body = {"title": "t", "head": "feat", "base": "side"}
    number = int(gate.as_person("olga", "POST", f"/repos/{SHOP}/pulls", body)["number"])
    status, answer = told(gate, tmp_path, number)
    gate.settle()
    assert (status, answer["title"]) == (3, gate.check(number).title)
    assert f"#{strict}: " in str(answer["sections"])
    gate.as_person("olga", "PATCH", f"/repos/{SHOP}/pulls/{strict}", {"state": "closed"})
    assert told(gate, tmp_path, number)[0] == 0


def test_of_a_closed_one_nothing_is_asked(gate: Gate, tmp_path: Path) -> None:
    number = gate.open("olga", "feat", gate.change({"docs/new.md": "x\n"}))
    gate.settle()
    gate.as_person("rita", "PUT", f"/repos/{SHOP}/pulls/{number}/merge", {})
    status, answer = told(gate, tmp_path, number)
    assert (status, answer["title"]) == (4, "Blocked: the pull request is closed")
    assert "Now" not in answer["sections"]


def test_what_is_not_gated_or_broken_is_said(gate: Gate, tmp_path: Path) -> None:
    gate.push("noor", "side", gate.tip())
    number = gate.open("olga", "feat", infra(gate), base="side")
    status, out, _ = ended(gate, tmp_path, f"{SHOP}#{number}")
    assert (status, out) == (0, "`side` is not gated: nobody waits there.\n")
    status, answer = told(gate, tmp_path, number)
    assert (status, answer["outcome"], answer["head"]) == (0, None, gate.pull(number).head)
    assert (answer["sections"], answer["data"]) == ({}, None), "the same keys as always"
    other = gate.open("olga", "feat2", infra(gate))
    gate.push("noor", "main", gate.change({".github/foureyes.yml": "version: 2\n"}))
    status, out, _ = ended(gate, tmp_path, f"{SHOP}#{other}")
    assert status == 1
    assert out.splitlines()[1].startswith("Error: .github/foureyes.yml has an error")
    gate.push("noor", "main", gate.change({".github/foureyes.yml": None}))
    status, out, _ = ended(gate, tmp_path, f"{SHOP}#{other}")
    assert (status, out) == (
        0,
        f"{SHOP} has no .github/foureyes.yml on `main`: foureyes is not set up there.\n",
    )


def test_observe_is_said(gate: Gate, tmp_path: Path) -> None:
    policy = 'version: 1\nmode: observe\nroster: ["@acme/engineers"]\nprotected: ["infra/**"]\n'
    gate.push("noor", "main", gate.change({".github/foureyes.yml": policy}))
    number = gate.open("olga", "feat", infra(gate))
    status, out, _ = ended(gate, tmp_path, f"{SHOP}#{number}")
    assert status == 3
    assert "the policy's mode is observe" in out


def test_a_team_that_the_token_cannot_see_is_said_so(gate: Gate, tmp_path: Path) -> None:
    policy = 'version: 1\nroster: ["@acme/engineers", "@acme/secret"]\nprotected: ["infra/**"]\n'
    gate.push("noor", "main", gate.change({".github/foureyes.yml": policy}))
    number = gate.open("olga", "feat", infra(gate))
    _, out, _ = ended(gate, tmp_path, f"{SHOP}#{number}")
    assert "Not seen: @acme/secret: nobody counts by that name here." in out


def test_the_address_on_github_is_a_name_too(gate: Gate, tmp_path: Path) -> None:
    number = gate.open("olga", "feat", infra(gate))
    for tail in ("", "/files", "?x=1", "#discussion"):
        assert ended(gate, tmp_path, f"{gate.sandbox.url}/{SHOP}/pull/{number}{tail}")[0] == 3


@pytest.mark.parametrize(
    "name",
    [
        "acme/shop",
        "acme/shop#0",
        "shop#1",
        "https://github.com/a/b/pull/1",
        "../..#1",
        "./x#1",
        "a/..#1",
        "a/b#9999999999",
    ],
)
def test_what_names_no_pull_request_is_wrong_use(gate: Gate, tmp_path: Path, name: str) -> None:
    status, out, err = ended(gate, tmp_path, name)
    assert (status, out) == (2, "")
    assert "acme/shop#412" in err


def test_a_pull_request_that_is_not_there_and_a_dead_server_are_errors(gate: Gate, tmp_path: Path) -> None:
    status, _, err = ended(gate, tmp_path, f"{SHOP}#999")
    assert status == 1
    assert "there is no pull request acme/shop#999 that your token can see" in err
    number = gate.open("olga", "feat", infra(gate))
    gate.fault("status", "POST */graphql", status=503, times=9)
    status, out, err = ended(gate, tmp_path, f"{SHOP}#{number}", "--json")
    assert (status, out) == (1, "")
    assert "could not be read" in json.loads(err)["error"]["what"]


@pytest.mark.parametrize(
    ("said", "step"),
    [
        (
            "POST https://x/graphql: ConnectionError: GitHub could not be reached",
            "see that this machine reaches it",
        ),
        ("POST https://x/graphql: no answer within 15 s", "see that this machine reaches it"),
        ("GitHub's answer was not understood", "try again"),
    ],
)
def test_a_network_that_is_not_there_is_what_to_look_at(said: str, step: str) -> None:
    assert way_out(GitHubError(said)).startswith(step)


def test_a_setting_that_does_not_hold_is_not_told_as_if_a_server_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FOUREYES_GITHUB_URL", "nonsense")
    with pytest.raises(UserError) as error:
        read_github_url(os.environ)
    assert error.value.why == "they say which GitHub is asked"
    monkeypatch.setenv("FOUREYES_DATABASE_URL", "nonsense")
    with pytest.raises(UserError) as error:
        read_database_url(os.environ)
    assert error.value.why == "they say where the server keeps its decisions"


def test_a_dead_git_server_is_an_unknown_fact_and_never_a_pass(gate: Gate, tmp_path: Path) -> None:
    number = gate.open("olga", "feat", gate.change({"docs/x.md": "x\n"}))
    gate.fault("status", "* /acme/shop.git/*", status=503, times=9)
    status, answer = told(gate, tmp_path, number)
    assert (status, answer["outcome"]) == (1, "broken")


def test_nothing_is_written_anywhere_but_to_a_private_cache(gate: Gate, tmp_path: Path) -> None:
    number = gate.open("olga", "feat", infra(gate))
    before = gate.runs(gate.pull(number).head)
    ended(gate, tmp_path, f"{SHOP}#{number}")
    ended(gate, tmp_path, f"{SHOP}#{number}")
    assert gate.runs(gate.pull(number).head) == before
    (folder,) = (tmp_path / "cache/foureyes/explain").iterdir()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    token = gate.sandbox.token("ben").encode()
    kept = [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]
    assert kept
    assert not any(token in path.read_bytes() for path in kept)


def test_a_persons_client_refuses_to_write(gate: Gate) -> None:
    client = PersonalGitHub(gate.settings, gate.sandbox.token("ben")).installation(0)
    assert client.get("/user")["login"] == "ben"
    with pytest.raises(GitHubError, match="nothing is written"):
        client.post(f"/repos/{SHOP}/check-runs", {})
    with pytest.raises(GitHubError, match="nothing is written"):
        client.patch(f"/repos/{SHOP}", {})
    with pytest.raises(GitHubError, match="only the App"):
        client.github.as_app("GET", "/app")


def test_a_token_that_is_refused_and_a_limit_say_what_to_do(gate: Gate, tmp_path: Path) -> None:
    number = gate.open("olga", "feat", infra(gate))
    name = f"{SHOP}#{number}"
    status, out, err = ended(gate, tmp_path, name, env={"GH_TOKEN": "ghp_" + "x" * 36})
    assert (status, out) == (1, "")
    assert "401" in err
    assert "gh auth status" in err
    assert "ghp_" not in err
    gate.fault("status", "POST */graphql", status=429, headers={"retry-after": "33"}, times=9)
    status, _, err = ended(gate, tmp_path, name)
    assert status == 1
    asked = re.search(r"try again in (\d+) s", err)
    assert asked is not None
    assert 33 <= int(asked[1]) <= 33 * 1.5, (
        "what GitHub asked for, and a little more so that not all come at once"
    )


def test_a_server_on_this_machine_that_is_no_sandbox_is_shown_nothing(gate: Gate, tmp_path: Path) -> None:
    heard: list[str] = []

    class Impostor(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            heard.append(f"{self.path} {self.headers}")
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_POST = do_GET

        def log_message(self, format: str, *arguments: object) -> None:
            """Quiet."""

    server = HTTPServer(("127.0.0.1", 0), Impostor)
    thread = Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        env = {"FOUREYES_GITHUB_URL": f"http://127.0.0.1:{server.server_port}"}
        status, out, err = ended(gate, tmp_path, f"{SHOP}#1", env=env)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert (status, out) == (1, "")
    assert "FOUREYES_GITHUB_URL" in err
    assert len(heard) == 1
    assert heard[0].startswith("/_sandbox/token-proof")
    assert gate.sandbox.token("ben") not in heard[0]


# the token


def gh(folder: Path, prints: str, status: int = 0) -> dict[str, str]:
    folder.mkdir(exist_ok=True)
    program = folder / "gh"
    program.write_text(f'#!/bin/sh\necho "$@" > {folder}/asked\necho {prints}\nexit {status}\n')
    program.chmod(0o755)
    return {"PATH": f"{folder}:{os.environ['PATH']}"}


def test_the_token_is_where_gh_has_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    both = {"GH_TOKEN": "one", "GITHUB_TOKEN": "two"}
    assert find_token("https://github.com", both) == "one"
    assert find_token("https://acme.ghe.com", {"GITHUB_TOKEN": " two "}) == "two"
    own = gh(tmp_path / "bin", "three")
    monkeypatch.setenv("PATH", own["PATH"])
    assert find_token("https://github.com", own) == "three"
    assert (tmp_path / "bin/asked").read_text() == "auth token --hostname github.com\n"


def test_a_token_for_github_com_is_not_shown_to_another_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = gh(tmp_path / "bin", "no", 1)
    monkeypatch.setenv("PATH", own["PATH"])
    both = {**own, "GH_TOKEN": "one", "GH_ENTERPRISE_TOKEN": "ours"}
    assert find_token("https://ghe.acme.example", both) == "ours"
    with pytest.raises(UserError) as missing:
        find_token("https://ghe.acme.example", {**own, "GH_TOKEN": "one"})
    assert "GH_ENTERPRISE_TOKEN" in missing.value.next_step
    monkeypatch.setenv("PATH", str(tmp_path / "none"))
    with pytest.raises(UserError, match=r"no token of yours for github\.com"):
        find_token("https://github.com", {})
