"""Cutting the contracts: what is selected with all that it needs, nothing else, and never from another package."""

import base64
import hashlib
import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from graphql import build_schema

from foureyes.github_app.sandbox import refresh_contracts
from foureyes.github_app.sandbox.refresh_contracts import event_names, main, rest_subset, webhook_subset
from foureyes.github_app.sandbox.schema_subset import schema_subset
from foureyes.shared.errors import UserError


def _hook(action: str, needs: str) -> dict[str, Any]:
    schema = {"$ref": f"#/components/schemas/hook-{action or 'plain'}"}
    return {
        "operationId": f"thing/{action}" if action else "plain",
        "summary": f'Prose. To subscribe to this event, a GitHub App must have at least read-level access for the "{needs}" repository permission.',
        "externalDocs": {"url": "https://docs.invalid/webhooks#" + ("a_thing" if action else "plain")},
        "requestBody": {"content": {"application/json": {"schema": schema}}},
        "x-github": {"supported-webhook-types": ["app", "repository"]},
    }


SPEC: dict[str, Any] = {
    "openapi": "3.0.3",
    "info": {"title": "t", "version": "1", "license": {"name": "MIT"}, "description": "prose"},
    "paths": {
        "/kept/{id}": {
            "get": {
                "operationId": "kept/get",
                "summary": "prose",
                "x-github": {"enabledForGitHubApps": True, "previews": []},
                "parameters": [{"name": "id", "in": "path", "required": True, "x-multi-segment": True, "schema": {"type": "string"}}],
                "responses": {"200": {"description": "prose", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/outer"}}}}},
            },
            "delete": {"operationId": "kept/delete", "x-github": {}, "responses": {"204": {"description": "gone"}}},
        },
    },
    "x-webhooks": {
        "one": {"post": _hook("opened-up", "Pull requests")},
        "two": {"post": _hook("closed", "Pull requests")},
        "three": {"post": _hook("", "Contents")},
    },
    "components": {
        "schemas": {
            "outer": {
                "type": "object",
                "title": "prose",
                "x-extra": {"$ref": "#/components/schemas/unused"},
                "properties": {
                    "description": {"type": "string", "description": "prose"},
                    "example": {"$ref": "#/components/schemas/inner"},
                    "choice": {"enum": ["title", "summary"], "default": "title"},
                },
            },
            "inner": {"type": "array", "items": {"$ref": "#/components/schemas/outer"}, "example": []},
            "unused": {"type": "null"},
            "basic-error": {"type": "object"},
            "hook-opened-up": {"type": "object"},
            "hook-closed": {"type": "object"},
            "hook-plain": {"type": "object"},
        }
    },
}  # fmt: skip


def test_an_operation_comes_with_all_it_refers_to_and_without_prose() -> None:
    cut = rest_subset(SPEC, ["GET /kept/{id}"])
    assert list(cut["paths"]["/kept/{id}"]) == ["get"]
    assert sorted(cut["components"]["schemas"]) == ["basic-error", "inner", "outer"]
    assert "prose" not in json.dumps(cut)
    assert cut["components"]["schemas"]["outer"]["properties"] == {
        "description": {"type": "string"},
        "example": {"$ref": "#/components/schemas/inner"},
        "choice": {"enum": ["title", "summary"], "default": "title"},
    }
    assert cut["paths"]["/kept/{id}"]["get"]["x-github"] == {"enabledForGitHubApps": True}
    assert cut["paths"]["/kept/{id}"]["get"]["parameters"][0]["x-multi-segment"] is True


@pytest.mark.parametrize("line", ["GET /gone", "POST /kept/{id}"])
def test_an_operation_that_upstream_dropped_is_not_skipped(line: str) -> None:
    with pytest.raises(KeyError):
        rest_subset(SPEC, [line])


def test_webhooks_by_event_and_action() -> None:
    cut = webhook_subset(SPEC, {"a_thing": ["opened_up"], "plain": []})
    assert cut["events"] == {"a_thing": {"opened_up": "hook-opened-up"}, "plain": {"": "hook-plain"}}
    assert sorted(cut["components"]["schemas"]) == ["hook-opened-up", "hook-plain"]
    assert webhook_subset(SPEC, {"a_thing": []})["events"]["a_thing"].keys() == {"opened_up", "closed"}
    with pytest.raises(KeyError, match="gone"):
        webhook_subset(SPEC, {"gone": []})


def test_events_say_who_gets_them_and_what_they_need() -> None:
    assert event_names(SPEC) == {
        "a_thing": {
            "actions": ["opened_up", "closed"],
            "receivers": ["app", "repository"],
            "needs": {"pull_requests": "read"},
        },
        "plain": {"actions": [], "receivers": ["app", "repository"], "needs": {"contents": "read"}},
    }


SDL = '''
"""Says "something\""""
type Query @docsCategory(name: "x") { """A \\""" quote""" it(by: Filter): Thing, other: Other, any: Either, old: Int @deprecated(reason: "y") }
interface Named { name: String! }
type Thing implements Named & Strange { name: String!, kind: Kind, in: Elsewhere, list: [[Thing!]!]! }
interface Strange { name: String! }
type Other implements Named { name: String! }
type Elsewhere { x: Int }
enum Kind { A B }
enum Unused { C }
input Filter { when: When }
scalar When
union Either = Thing | Other
'''


def test_types_come_with_the_leaves_they_need_and_lose_what_leads_elsewhere() -> None:
    cut = schema_subset(SDL, ["Query", "Thing", "Named", "Either"])
    schema = build_schema(cut)
    kept = {name for name in schema.type_map if not name.startswith("__")}
    assert kept == {"Query", "Thing", "Named", "Either", "Kind", "Filter", "When", "String", "Boolean", "Int"}
    assert list(schema.type_map["Query"].fields) == ["it", "any", "old"]  # type: ignore[attr-defined]
    assert list(schema.type_map["Thing"].fields) == ["name", "kind", "list"]  # type: ignore[attr-defined]
    assert "union Either = Thing\n" in cut
    assert "type Thing implements Named {" in cut
    assert '@deprecated(reason: "y")' in cut
    assert '"""' not in cut
    assert "docsCategory" not in cut


def test_a_type_that_upstream_dropped_is_not_skipped() -> None:
    with pytest.raises(KeyError, match="Gone"):
        schema_subset(SDL, ["Query", "Gone"])


def _package(folder: Path, name: str, member: str, content: bytes) -> dict[str, str]:
    archive = folder / f"{name.lstrip('@').replace('/', '-')}-1.0.0.tgz"
    with tarfile.open(archive, "w:gz") as tar:
        info = tarfile.TarInfo(member)
        info.size = len(content)
        tar.addfile(info, io.BytesIO(content))
    digest = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    return {"name": name, "version": "1.0.0", "integrity": f"sha512-{digest}", "member": member}


@pytest.fixture
def selected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    contracts, tarballs = tmp_path / "contracts", tmp_path / "tarballs"
    contracts.mkdir()
    tarballs.mkdir()
    spec = {**SPEC, "components": {**SPEC["components"], "schemas": {**SPEC["components"]["schemas"],
            "app-permissions": {"properties": {"checks": {"enum": ["read", "write"]}}}}}}  # fmt: skip
    selection = {
        "packages": {
            "rest": _package(tarballs, "@o/rest", "package/api.json", json.dumps(spec).encode()),
            "graphql": _package(tarballs, "@o/graphql", "package/schema.graphql", SDL.encode()),
        },
        "operations": ["GET /kept/{id}"],
        "webhooks": {"plain": []},
        "types": ["Query", "Thing"],
    }
    (contracts / "selection.json").write_text(json.dumps(selection))
    monkeypatch.setattr(refresh_contracts, "HERE", contracts)
    return contracts


def test_a_refresh_writes_every_file_and_is_repeatable(selected: Path) -> None:
    arguments = ["--tarballs", str(selected.parent / "tarballs")]
    assert CliRunner().invoke(main, arguments, catch_exceptions=False).exit_code == 0
    first = {path.name: path.read_bytes() for path in selected.iterdir()}
    assert sorted(first) == [
        "events.json",
        "permissions.json",
        "rest.json",
        "schema.graphql",
        "selection.json",
        "webhooks.json",
    ]
    assert json.loads(first["permissions.json"]) == {"checks": ["read", "write"]}
    CliRunner().invoke(main, arguments, catch_exceptions=False)
    assert {path.name: path.read_bytes() for path in selected.iterdir()} == first


def test_another_package_than_the_pinned_one_is_refused_and_nothing_is_written(selected: Path) -> None:
    tarballs = selected.parent / "tarballs"
    _package(tarballs, "@o/graphql", "package/schema.graphql", b"type Query { nothing: Int }")
    with pytest.raises(UserError, match="is not the pinned package"):
        CliRunner().invoke(main, ["--tarballs", str(tarballs)], catch_exceptions=False)
    assert [path.name for path in selected.iterdir()] == ["selection.json"]
