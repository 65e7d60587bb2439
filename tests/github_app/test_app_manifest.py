"""app.yml against GitHub's published permissions and events, and against what the server handles."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from foureyes.github_app import events
from foureyes.github_app.sandbox import contract

TEXT = (Path(__file__).parents[2] / "app.yml").read_text("utf-8")
MANIFEST: dict[str, Any] = yaml.safe_load(TEXT)

# docs.github.com, "Registering a GitHub App from a manifest"
MANIFEST_KEYS = {
    "name", "url", "hook_attributes", "redirect_url", "callback_urls", "setup_url", "description", "public",
    "default_events", "default_permissions", "request_oauth_on_install", "setup_on_update",
}  # fmt: skip

WRITES = {"checks": "write"}
READS = {"metadata", "contents", "pull_requests", "merge_queues", "members"}


def test_only_keys_of_a_manifest() -> None:
    assert set(MANIFEST) <= MANIFEST_KEYS
    assert MANIFEST["public"] is False


@pytest.mark.parametrize("name", MANIFEST["default_permissions"])
def test_a_permission_is_one_that_github_has_at_that_level(name: str) -> None:
    assert MANIFEST["default_permissions"][name] in contract.permissions()[name]


def test_permissions_are_the_minimum() -> None:
    assert MANIFEST["default_permissions"] == dict.fromkeys(READS, "read") | WRITES


def test_events_are_exactly_those_that_are_handled_and_can_be_asked_for() -> None:
    assert set(MANIFEST["default_events"]) == events.SUBSCRIBED
    assert len(MANIFEST["default_events"]) == len(events.SUBSCRIBED)
    assert set(MANIFEST["default_events"]) | events.UNASKED == events.HANDLED
    assert not set(MANIFEST["default_events"]) & events.UNASKED


@pytest.mark.parametrize("name", MANIFEST["default_events"])
def test_an_event_is_one_that_apps_get_with_the_permissions_asked_for(name: str) -> None:
    published = contract.events()[name]
    assert "app" in published["receivers"]
    assert published["needs"], "GitHub names a permission for every event that can be asked for"
    assert set(published["needs"]) & set(MANIFEST["default_permissions"])


@pytest.mark.parametrize("name", sorted(events.HANDLED))
def test_what_is_handled_exists_and_is_in_the_contract_of_the_tests(name: str) -> None:
    assert name in contract.events()
    assert name in contract.webhooks()["events"]


@pytest.mark.parametrize("name", sorted(events.UNASKED))
def test_what_comes_unasked_needs_no_permission_of_its_own(name: str) -> None:
    assert contract.events()[name]["needs"] == {}


@pytest.mark.parametrize("name", [*MANIFEST["default_permissions"], *MANIFEST["default_events"]])
def test_each_permission_and_each_event_has_its_reason(name: str) -> None:
    reason = re.search(rf"^  # (.{{30,}})\n(?:  # .*\n)*  (?:- )?{name}(?::.*)?$", TEXT, re.MULTILINE)
    assert reason, f"no comment says why the App asks for {name}"


def test_no_reason_is_given_twice() -> None:
    reasons = re.findall(r"^  # (.*)$", TEXT, re.MULTILINE)
    assert len(reasons) == len(set(reasons))
