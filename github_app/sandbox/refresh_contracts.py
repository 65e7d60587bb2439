"""Refreshes `contracts/` from GitHub's published schemas, as the npm packages of Octokit carry them.

    python -m foureyes.github_app.sandbox.refresh_contracts [--tarballs FOLDER]

`contracts/selection.json` pins the packages (version and integrity) and names what is kept; this script only
cuts. npm is needed here alone: tests and the sandbox read what was cut. After raising a version in the
selection, run it, read the difference, then let the tests say which deviations upstream has mended.
"""

import base64
import hashlib
import json
import re
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from foureyes.github_app.sandbox.schema_subset import schema_subset
from foureyes.shared.errors import UserError

HERE = Path(__file__).parent / "contracts"
REF = "#/components/"
PROSE = {"description", "summary", "title", "example", "examples", "externalDocs", "tags"}
MULTI_SEGMENT = "x-multi-segment"
LITERAL = {"enum", "default", "const"}
NAMED = {"properties", "patternProperties", "headers"}
SUBSCRIBE = re.compile(r'must have at least (read|write)-level access for the "([^"]+)" (\w+) permission')


@click.command()
@click.option("--tarballs", type=click.Path(path_type=Path, exists=True, file_okay=False),
              help="A folder with the packed packages; without it they are packed by npm.")  # fmt: skip
def main(tarballs: Path | None) -> None:
    """Cut the pinned packages down to what foureyes uses."""
    selection = json.loads((HERE / "selection.json").read_text())
    with tempfile.TemporaryDirectory() as folder:
        source = {key: _member(pin, tarballs, Path(folder)) for key, pin in selection["packages"].items()}
    spec = json.loads(source["rest"])
    _write("rest.json", rest_subset(spec, selection["operations"]))
    _write("webhooks.json", webhook_subset(spec, selection["webhooks"]))
    _write("permissions.json", permission_levels(spec))
    _write("events.json", event_names(spec))
    (HERE / "schema.graphql").write_text(schema_subset(source["graphql"].decode(), selection["types"]))


def rest_subset(spec: dict[str, Any], operations: list[str]) -> dict[str, Any]:
    """An OpenAPI document of exactly these operations ("GET /path") and all that they refer to.

    Raises KeyError where upstream no longer has one of them.
    """
    paths: dict[str, dict[str, Any]] = {}
    for line in operations:
        method, path = line.split()
        operation = spec["paths"][path][method.lower()]
        kept = _stripped(operation)
        kept["x-github"] = {"enabledForGitHubApps": bool(operation["x-github"].get("enabledForGitHubApps"))}
        paths.setdefault(path, {})[method.lower()] = kept
    info = {key: spec["info"][key] for key in ("title", "version", "license")}
    # An error that an operation does not list still has one form.
    roots = [paths, {"$ref": REF + "schemas/basic-error"}]
    return {"openapi": spec["openapi"], "info": info, "paths": paths, "components": _components(spec, roots)}


def webhook_subset(spec: dict[str, Any], wanted: dict[str, list[str]]) -> dict[str, Any]:
    """`events`: event -> action ("" where it has none) -> name of the payload's schema; `components` as in
    OpenAPI. An empty list of actions keeps all of them.

    Raises KeyError where upstream no longer has one of the events.
    """
    events: dict[str, dict[str, str]] = {}
    for event, action, hook in _webhooks(spec):
        if event in wanted and (not wanted[event] or action in wanted[event]):
            ref = hook["requestBody"]["content"]["application/json"]["schema"]["$ref"]
            events.setdefault(event, {})[action] = ref.rsplit("/", 1)[1]
    if missing := set(wanted) - set(events):
        raise KeyError(f"webhooks no longer published: {sorted(missing)}")
    roots = [{"$ref": f"{REF}schemas/{name}"} for actions in events.values() for name in actions.values()]
    return {"events": events, "components": _components(spec, roots)}


def permission_levels(spec: dict[str, Any]) -> dict[str, list[str]]:
    """Every permission that an App can ask for -> the levels it has."""
    properties = spec["components"]["schemas"]["app-permissions"]["properties"]
    return {name: schema["enum"] for name, schema in sorted(properties.items())}


def event_names(spec: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Every webhook event -> its actions, who can receive it (`app`, ...) and the permissions that its text
    names as needed to subscribe: any one of them is enough.
    """
    events: dict[str, dict[str, Any]] = {}
    for event, action, hook in _webhooks(spec):
        entry = events.setdefault(event, {"actions": [], "receivers": [], "needs": {}})
        entry["actions"] += [action] if action else []
        entry["receivers"] = sorted({*entry["receivers"], *hook["x-github"]["supported-webhook-types"]})
        for level, permission, _kind in SUBSCRIBE.findall(hook["summary"]):
            entry["needs"][permission.lower().replace(" ", "_")] = level
    return dict(sorted(events.items()))


def _webhooks(spec: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for hook in (item["post"] for item in spec["x-webhooks"].values()):
        event = hook["externalDocs"]["url"].partition("#")[2]
        action = hook["operationId"].partition("/")[2].replace("-", "_")
        yield event, action, hook


def _components(spec: dict[str, Any], roots: list[Any]) -> dict[str, Any]:
    """Everything that the roots refer to, directly or through others."""
    found: dict[str, Any] = {}
    waiting = sorted({ref for root in roots for ref in _refs(root)})
    while waiting:
        ref = waiting.pop()
        if ref not in found:
            strip = _response if ref.startswith(REF + "responses/") else _stripped
            found[ref] = strip(_target(spec, ref))
            waiting += _refs(found[ref])
    components: dict[str, Any] = {}
    for ref in sorted(found):
        kind, name = ref.removeprefix(REF).split("/")
        components.setdefault(kind, {})[name] = found[ref]
    return components


def _refs(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for value in node.values():
            yield from _refs(value)
    elif isinstance(node, list):
        for value in node:
            yield from _refs(value)


def _target(spec: dict[str, Any], ref: str) -> dict[str, Any]:
    kind, name = ref.removeprefix(REF).split("/")
    target: dict[str, Any] = spec["components"][kind][name]
    return target


def _stripped(node: Any, *, names: bool = False) -> Any:
    """Without prose. `names`: the keys are names of GitHub's own (a property may be called "description")."""
    if isinstance(node, list):
        return [_stripped(item) for item in node]
    if not isinstance(node, dict):
        return node
    kept: dict[str, Any] = {}
    for key, value in node.items():
        if names:
            kept[key] = _stripped(value)
        elif key in LITERAL:
            kept[key] = value
        elif key == "responses":
            kept[key] = {status: _response(item) for status, item in value.items()}
        elif key not in PROSE and (not key.startswith("x-") or key == MULTI_SEGMENT):
            kept[key] = _stripped(value, names=key in NAMED)
    return kept


def _response(node: Any) -> Any:
    """OpenAPI wants a description on every response."""
    return node if "$ref" in node else {"description": "", **_stripped(node)}


def _member(pin: dict[str, str], tarballs: Path | None, folder: Path) -> bytes:
    archive = _tarball(pin, tarballs or folder, pack=tarballs is None)
    found = "sha512-" + base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    if found != pin["integrity"]:
        raise UserError(
            f"{archive.name} is not the pinned package",
            why=f"its integrity is {found} instead of {pin['integrity']}",
            next_step="fetch it again, or pin the new version in contracts/selection.json",
        )
    with tarfile.open(archive) as tar:
        member = tar.extractfile(pin["member"])
        if member is None:
            raise UserError(f"{archive.name} has no file {pin['member']}")
        return member.read()


def _tarball(pin: dict[str, str], folder: Path, *, pack: bool) -> Path:
    if pack:
        subprocess.run(["npm", "pack", "--silent", f"{pin['name']}@{pin['version']}"], cwd=folder, check=True)
    return folder / f"{pin['name'].lstrip('@').replace('/', '-')}-{pin['version']}.tgz"


def _write(name: str, content: Any) -> None:
    (HERE / name).write_text(_text(content, depth=3) + "\n")


def _text(node: Any, depth: int) -> str:
    """JSON with one line for each thing below `depth`: small, and a refresh shows line by line."""
    if depth == 0 or not isinstance(node, dict) or not node:
        return json.dumps(node, separators=(",", ":"))
    lines = (f"{json.dumps(key)}: {_text(value, depth - 1)}" for key, value in node.items())
    return "{\n" + ",\n".join(lines) + "\n}"


if __name__ == "__main__":
    main()
