"""docs/texts.md shows what the check says, from real pull requests: byte for byte what is made here, or it is stale.

`FOUREYES_TEST_WRITE_TEXTS=1` writes the page anew.
"""

import base64
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from support_gate import SHOP, Gate, running_gate
from support_record import RECORD
from support_ssh import SecurityKey

from foureyes.shared import dsse
from foureyes.shared.canonical import sha256_hex
from foureyes.shared.dsse import Signature
from foureyes.shared.manifest import NAMESPACE, Entry, Manifest, manifest_bytes
from foureyes.shared.record import Agent, Operator, record_bytes
from foureyes.shared.record_ref import push_path, record_path, record_ref

TEAM = '["@olga", "@ben", "@ana", "@raj", "@mia"]'
PAYMENTS = f'version: 1\nroster: {TEAM}\nprotected: ["services/payments/**"]\nrequest_reviewers: true\n'
INFRA = 'version: 1\nroster: ["@sam", "@ana", "@raj"]\nprotected: ["infra/**"]\n'
CHECKOUT = """version: 1
roster: ["@kim", "@ben", "@ana", "@lee", "@noor"]
systems:
  checkout: {paths: ["services/checkout/**"], tier: 0, owners: ["@lee", "@noor"]}
"""
BEGIN, END = "<!-- {} begins -->\n", "<!-- {} ends -->\n"


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[Gate]:
    """Each text has its own, so that its numbers and ids are the same in whatever order they are made."""
    with running_gate(tmp_path) as gate:
        for installation in gate.sandbox.world.installations.values():
            installation.permissions["pull_requests"] = "write"
        yield gate


def started(gate: Gate, policy: str, files: dict[str, bytes | str | tuple[str, str]]) -> str:
    gate.clone.clock = 1_800_000_000
    root = gate.clone.commit({".github/foureyes.yml": policy, **files})
    gate.push("noor", "main", root)
    gate.settle()
    return root


@dataclass(frozen=True)
class Wrote:
    """`agent` "": a record that says nobody but a person did. `tree`: of the record, if it is not the commit's."""

    oid: str
    agent: str = "claude-code"
    tree: str = ""


def recorded(gate: Gate, login: str, branch: str, wrote: Sequence[Wrote]) -> None:
    """Records of these commits, signed in one push with a touch of that person's key."""
    key = SecurityKey(Ed25519PrivateKey.from_private_bytes(sha256(login.encode()).digest()))
    line = f"sk-ssh-ed25519@openssh.com {base64.b64encode(key.public).decode()}"
    gate.control("POST", "keys", login=login, key=line, kind="signing", created_at="2020-01-01T00:00:00Z")
    files: dict[str, bytes | str | tuple[str, str]] = {}
    entries = []
    for one in wrote:
        tree = one.tree or gate.clone.git("rev-parse", f"{one.oid}^{{tree}}")
        agents = (Agent(one.agent, "2.1", "", "s1", ("journal",)),) if one.agent else ()
        cls = "ai" if one.agent else "human"
        operator = Operator(login, "", "foureyes.login")
        body = record_bytes(
            replace(
                RECORD,
                commit=one.oid,
                tree=tree,
                cls=cls,
                agents=agents,
                contributors=(),
                operators=(),
                reviews=(),
                operator=operator,
            )
        )
        files[record_path(one.oid)] = body
        entries.append(Entry(one.oid, tree, sha256_hex(body)))
    payload = manifest_bytes(Manifest("", f"refs/heads/{branch}", tuple(entries)))
    signed = Signature("SHA256:x", key.sign(dsse.pae(dsse.PAYLOAD_TYPE, payload), NAMESPACE))
    files[push_path(payload)] = dsse.Envelope(dsse.PAYLOAD_TYPE, payload, (signed,)).to_json()
    gate.push(login, record_ref(branch), gate.clone.commit(files))


def shown(gate: Gate, number: int) -> str:
    """As GitHub shows it: state, title, the text, what is folded. Of the decision's id only that there is one."""
    run = gate.check(number)
    text = re.sub(r"`01[0-9A-Z]{24}`", "`01…`", run.text or "")
    state = run.conclusion or run.status
    return f"`{state}` · **{run.title}**\n\n{run.summary}\n\n{text}\n"


def is_on_the_page(checkout: Path, name: str, made: str) -> None:
    page = checkout / "docs" / "texts.md"
    text = page.read_text()
    begin, end = BEGIN.format(name), END.format(name)
    before, rest = text.split(begin)
    now, after = rest.split(end)
    if os.environ.get("FOUREYES_TEST_WRITE_TEXTS"):
        page.write_text(f"{before}{begin}{made}{end}{after}")
        return
    assert made == now, "docs/texts.md is stale: FOUREYES_TEST_WRITE_TEXTS=1 writes it anew"


def test_the_operators_approval_does_not_count(gate: Gate, checkout: Path) -> None:
    folder = "services/payments"
    names = ("charge", "refund", "tax")
    head = started(gate, PAYMENTS, {f"{folder}/{name}.py": f"# {name}\n" for name in names})
    wrote = []
    for name, agent in (*((name, "claude-code") for name in names), ("tax", "")):
        before = gate.clone.git("cat-file", "blob", f"{head}:{folder}/{name}.py")
        head = gate.change({f"{folder}/{name}.py": f"{before}\nrounded = {len(wrote)}\n"}, head)
        wrote.append(Wrote(head, agent))
    recorded(gate, "olga", "round", wrote)
    number = gate.open("olga", "round", head, by="lee")
    gate.as_person("lee", "POST", f"/repos/{SHOP}/pulls/{number}/requested_reviewers", {"reviewers": ["ana"]})
    for login in ("olga", "ben"):
        gate.review(login, number)
    gate.settle()
    is_on_the_page(checkout, "A", shown(gate, number))


def test_commits_without_a_record(gate: Gate, checkout: Path) -> None:
    head = started(gate, INFRA, {"infra/network.tf": "range = 16\n", "infra/storage.tf": "size = 1\n"})
    commits = []
    for size in range(2, 7):
        text = {"infra/storage.tf" if size % 2 else "infra/network.tf": f"size = {size}\n"}
        head = gate.change(text, head, author=("Sam", "sam@acme.example"))
        commits.append(head)
    wrote = [Wrote(oid) for oid in commits[:3]]
    recorded(gate, "sam", "grow", [*wrote, Wrote(commits[4], tree="7" * 40)])
    number = gate.open("sam", "grow", head)
    gate.settle()
    is_on_the_page(checkout, "B", shown(gate, number))


def test_a_mass_deletion_on_tier_0(gate: Gate, checkout: Path) -> None:
    files = {f"services/checkout/{path}": "line\n" * lines for path, lines in doomed()}
    kept = {f"services/checkout/ship/zone_{number:03}.py": "line\n" for number in range(207)}
    root = started(gate, CHECKOUT, {**files, **kept, "services/checkout/api.py": ""})
    new = {"services/checkout/api.py": "line\n" * 212}
    head = gate.change({**dict.fromkeys(files), **new}, root, author=("Kim", "kim@acme.example"))
    recorded(gate, "kim", "simplify", [Wrote(head, "gemini-cli")])
    number = gate.open("kim", "simplify", head)
    gate.review("ben", number)
    gate.settle()
    is_on_the_page(checkout, "C", shown(gate, number))


def doomed() -> Iterator[tuple[str, int]]:
    """28,745 lines in 340 files."""
    yield from ((f"cart/part_{number:03}.py", 76) for number in range(120))
    yield from ((f"db/migrations/{number:04}.sql", 65) for number in range(41))
    yield from ((f"tests/test_{number:03}.py", 118) for number in range(118))
    yield from ((f"price/rule_{number:02}.py", 46) for number in range(60))
    yield ("price/all.py", 28_745 - 120 * 76 - 41 * 65 - 118 * 118 - 60 * 46)


def test_the_page_deletes_what_it_says() -> None:
    files = dict(doomed())
    assert (len(files), sum(files.values())) == (340, 28_745)
