"""docs/provenance.md: every field of the format is there, nothing else is, and its example is what the code makes."""

import base64
import hashlib
import json
import re
from dataclasses import replace

import pytest
from support_record import RECORD

from foureyes.shared import dsse
from foureyes.shared.facts import Change, RecordState
from foureyes.shared.manifest import NAMESPACE, Entry, Manifest, manifest_bytes
from foureyes.shared.record import (
    Agent,
    Contributor,
    Operator,
    Parent,
    Record,
    Tool,
    Witnessed,
    record_bytes,
    statement,
)
from foureyes.shared.record_ref import push_path, record_path, record_ref
from foureyes.shared.trailers import render_agent_trailers

_SESSION = hashlib.sha256(b"an agent's session id").hexdigest()
_HAND = {"agent": "claude-code", "version": "2.1.330", "model": "claude-opus-5", "session": _SESSION}
_SEEN = {**_HAND, "evidence": "agent-hook", "confidence": "high"}
EXAMPLE = Record(
    commit="5f0c3a1b" * 5,
    tree="b81d24e7" * 5,
    id="01980a6e-6b4c-7c1e-9f5e-2f6d3c1b0a99",
    repository="github.com/acme/shop",
    cls="ai",
    files=(
        Change("infra/network.tf", "M", "100644", "100644", "1d" * 20, "2e" * 20, added=3),
        Change("infra/old.tf", "D", "100644", "000000", "3f" * 20, "0" * 40, deleted=412),
    ),
    agents=(Agent("claude-code", "2.1.330", "claude-opus-5", _SESSION, ("agent-hook", "journal")),),
    contributors=(
        Contributor("infra/network.tf", "added", 18, 2, "ai", **_SEEN),
        Contributor("infra/network.tf", "added", 20, 1, "unknown"),
        Contributor("infra/old.tf", "removed", 1, 412, "ai", **_SEEN),
    ),
    operator=Operator("olga", "olga@acme.example", "foureyes.login"),
    lineage=(Parent("77ab3109" * 5, "Provenance-Id"),),
    witness=Witnessed("post-commit", 1_790_000_000, "commit"),
    hooks=("prepare-commit-msg", "post-commit"),
    tool=Tool("foureyes", "0.1.0"),
)


@pytest.fixture
def page(checkout):
    return (checkout / "docs" / "provenance.md").read_text(encoding="utf-8")


def section(page: str, title: str) -> str:
    return page.split(f"\n## {title}\n")[1].split("\n## ")[0]


def documented(part: str) -> list[str]:
    return re.findall(r"^\| `([^`]+)` \|", part, re.MULTILINE)


def leaves(value, place="") -> set[str]:
    if isinstance(value, dict):
        return {leaf for key, inner in value.items() for leaf in leaves(inner, f"{place}.{key}".lstrip("."))}
    if isinstance(value, list):
        return {leaf for inner in value for leaf in leaves(inner, f"{place}[]")}
    return {place}


def test_every_field_of_the_record_is_documented_and_nothing_else(page):
    names = documented(section(page, "The record"))
    assert len(names) == len(set(names))
    assert set(names) == leaves(statement(RECORD)) | leaves(statement(replace(RECORD, witness=None)))


def test_every_field_of_the_list_is_documented_and_nothing_else(page):
    made = json.loads(manifest_bytes(Manifest("", "refs/heads/x", (Entry("a" * 40, "b" * 40, "c" * 64),))))
    assert set(documented(section(page, "The list of a push, and its signature"))) == leaves(made) - {"_type"}


def test_every_state_is_documented_in_order(page):
    order = ["missing", "unreadable", "mismatch", "unsigned", "bad signature", "signed"]
    assert documented(section(page, "What the App makes of it")) == order
    assert set(order) == {state.value for state in RecordState}


def test_fixed_names_are_those_of_the_code(page):
    assert f"namespace `{NAMESPACE}`" in page
    assert f"`payloadType` is `{dsse.PAYLOAD_TYPE}`" in page
    assert record_ref("x").rpartition("/")[0] + "/<first 16 hex digits" in page
    assert record_path("<commit>") in page
    assert push_path(b"").partition("/")[0] + "/<sha256 of the list>.json" in page
    for line in render_agent_trailers("assisted-by", "AGENT", "MODEL", "ID"):
        for word in ("AGENT", "MODEL", "ID"):
            line = re.sub(rf"\b{word}\b", f"<{word.lower()}>", line)
        assert f"`{line}`" in page


def example() -> str:
    """The end of the page."""
    data = record_bytes(EXAMPLE)
    digest = hashlib.sha256(data).hexdigest()
    payload = manifest_bytes(
        Manifest(EXAMPLE.repository, "refs/heads/feat/net", (Entry(EXAMPLE.commit, EXAMPLE.tree, digest),))
    )
    signed = dsse.pae(dsse.PAYLOAD_TYPE, payload)
    envelope = json.loads(dsse.Envelope(dsse.PAYLOAD_TYPE, payload).to_json())
    envelope["payload"] = envelope["payload"][:24] + "..."
    assert base64.b64decode(envelope["payload"][:24]) == payload[:18]
    return "\n".join(
        [
            "```json",
            json.dumps(statement(EXAMPLE), indent=1),
            "```",
            "",
            f"It is {len(data)} bytes in canonical form, with sha256 `{digest}`. The list of the push of `feat/net`:",
            "",
            "```json",
            json.dumps(json.loads(payload), indent=1),
            "```",
            "",
            f"What is signed are these {len(signed)} bytes, beginning",
            "",
            "```text",
            signed[:72].decode() + "...",
            "```",
            "",
            "and what is pushed, here without a signature, is",
            "",
            "```text",
            f"{record_ref('feat/net')}",
            f"  {record_path(EXAMPLE.commit)}",
            f"  {push_path(payload)}",
            f"    {json.dumps(envelope, sort_keys=True)}",
            "```",
            "",
        ]
    )


def test_the_example_is_what_the_code_makes(page):
    intro, _, shown = section(page, "An example").partition("```json")
    assert intro
    assert "```json" + shown == example(), f"the page should end with:\n{example()}"
