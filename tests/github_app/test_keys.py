"""Published keys: both of GitHub's lists, whose they are, since when."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from support_gate import Gate, running_gate
from support_ssh import make_key

from foureyes.github_app.client import GitHub, InstallationClient
from foureyes.github_app.keys import Keys
from foureyes.shared.people import Account, Kind
from foureyes.shared.sshsig import parse_public_key

OLGA = Account(1, "olga")


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[Gate]:
    with running_gate(tmp_path) as gate:
        yield gate


@pytest.fixture
def client(gate: Gate) -> InstallationClient:
    return GitHub(gate.settings, observe=gate.observe).installation(
        next(iter(gate.sandbox.world.installations))
    )


def test_signing_and_authentication_keys_are_read_alike(
    gate: Gate, client: InstallationClient, tmp_path: Path
) -> None:
    signing, login = make_key(tmp_path, name="one"), make_key(tmp_path, name="two")
    since = "2020-01-01T00:00:00Z"
    gate.control("POST", "keys", login="olga", key=signing.public_line, kind="signing", created_at=since)
    gate.control("POST", "keys", login="olga", key=login.public_line, kind="authentication")
    found = {key.blob: key for key in Keys().published(client, OLGA)}
    assert set(found) == {parse_public_key(key.public_line).blob for key in (signing, login)}
    assert found[parse_public_key(signing.public_line).blob].published_at == since
    assert {key.account for key in found.values()} == {OLGA}


def test_keys_are_read_once_while_they_are_fresh(gate: Gate, client: InstallationClient) -> None:
    keys = Keys()
    assert keys.published(client, OLGA) == ()
    gate.forget_calls()
    assert keys.published(client, OLGA) == ()
    assert gate.paths == []


def test_a_bot_and_a_stranger_have_no_keys(gate: Gate, client: InstallationClient) -> None:
    assert Keys().published(client, Account(9, "robot[bot]", Kind.BOT)) == ()
    assert Keys().published(client, Account(9, "nobody-at-all")) == ()
