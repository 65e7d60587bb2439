"""Apps made from a manifest, as GitHub does it: a code that works once, for an hour, and hands out what it made."""

import copy
import http.client
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from support_sandbox import Receiver, World, running_sandbox, send_manifest

MANIFEST: dict[str, Any] = {
    "name": "Two Humans",
    "url": "https://foureyes.example",
    "redirect_url": "https://foureyes.example/setup/done",
    "default_permissions": {"contents": "read", "checks": "write"},
    "default_events": ["push", "check_run"],
}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with running_sandbox(tmp_path) as world:
        yield world


def convert(world: World, code: str) -> Any:
    return world.request("POST", f"/api/v3/app-manifests/{code}/conversions")


def refused(world: World, manifest: Any, path: str = "/settings/apps/new") -> tuple[int, str]:
    parts = urlsplit(world.url)
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=30)
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    connection.request("POST", path, urlencode({"manifest": json.dumps(manifest)}), kind)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, text


@pytest.mark.parametrize(("organization", "owner"), [("acme", "acme"), ("", "noor")])
def test_a_manifest_becomes_an_app_that_can_sign_in(world: World, organization: str, owner: str) -> None:
    code, state = send_manifest(world, MANIFEST, "a state", organization)
    assert state == "a state"
    made = convert(world, code)
    assert made.status == 201
    assert (made.body["slug"], made.body["owner"]["login"]) == ("two-humans", owner)
    assert made.body["permissions"] == {"metadata": "read", "contents": "read", "checks": "write"}
    token = world.app_jwt(key=made.body["pem"], issuer=str(made.body["id"]))
    known = world.request("GET", "/api/v3/app", token=token)
    assert (known.status, known.body["id"]) == (200, made.body["id"])


def test_a_code_works_once_and_for_an_hour(world: World) -> None:
    code, _ = send_manifest(world, MANIFEST)
    assert [convert(world, code).status for _ in range(2)] == [201, 404]
    late, _ = send_manifest(world, {**MANIFEST, "name": "late"})
    world.control("POST", "settings", {"clock": 3601})
    assert convert(world, late).status == 404
    assert convert(world, "guess").status == 404


def test_its_webhook_is_pinged_with_its_own_secret_and_it_hears_of_its_installation(world: World) -> None:
    with Receiver() as receiver:
        code, _ = send_manifest(world, {**MANIFEST, "hook_attributes": {"url": receiver.url}})
        assert convert(world, code).body["webhook_secret"]
        assert refused(world, None, "/apps/two-humans/installations/new")[0] == 302
        assert world.sandbox.wait_delivered()
        assert receiver.events() == ["ping", "installation"]


@pytest.mark.parametrize(
    ("over", "said"),
    [
        ({"name": "foureyes"}, "already taken"),
        ({"url": "foureyes.example"}, "url is not an address"),
        ({"redirect_url": ""}, "redirect_url is missing"),
        ({"hook_attributes": {}}, "hook_attributes.url is not an address"),
        (
            {"default_permissions": {"contents": "write", "rockets": "launch"}},
            "no permission rockets: launch",
        ),
        ({"default_events": ["merge_group"]}, "event merge_group is unknown or not covered"),
        ({"secret": "x"}, "secret is not a key"),
    ],
)
def test_a_manifest_that_github_would_not_take_is_refused(world: World, over: Any, said: str) -> None:
    status, text = refused(world, copy.deepcopy(MANIFEST) | over)
    assert status == 422
    assert said in text


def test_only_an_organization_that_exists_can_own_it(world: World) -> None:
    assert refused(world, MANIFEST, "/organizations/nobody/settings/apps/new")[0] == 404
