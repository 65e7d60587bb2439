"""Git over HTTP by git's own `http-backend`: who pushes is known from the token, what moved from the refs."""

import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import IO, cast

from werkzeug.wrappers import Request, Response

from foureyes.github_app.sandbox import pushes
from foureyes.github_app.sandbox.access import may, sees
from foureyes.github_app.sandbox.answers import Refusal
from foureyes.github_app.sandbox.repositories import ZERO, environment
from foureyes.github_app.sandbox.rulesets import has_rule, unsatisfied
from foureyes.github_app.sandbox.state import Repository, User, World
from foureyes.github_app.sandbox.tokens import Caller, authenticate

_SERVICES = ("git-upload-pack", "git-receive-pack")
_CHUNK = 65536
UNTIL_ANSWERED = "foureyes.until-answered"
"""In the environment of a request: an ExitStack that ends with it, also where its client went away."""


def is_git(path: str) -> bool:
    return path.endswith(("/info/refs", "/git-upload-pack", "/git-receive-pack"))


def respond(world: World, request: Request) -> Response:
    """One request of the smart protocol: /OWNER/REPO(.git)/info/refs, /git-upload-pack, /git-receive-pack."""
    service = request.args.get("service") or request.path.rpartition("/")[2]
    writes = service == "git-receive-pack"
    try:
        caller = authenticate(world, request.headers.get("Authorization"))
        repository = _repository(world, request.path, caller, writes)
    except Refusal as refusal:
        return _refuse(refusal)
    if service not in _SERVICES:
        return Response("Please upgrade your git client.", 403, content_type="text/plain")
    body = _spool(request)
    if writes and request.method == "POST":
        return _receive(world, repository, caller.user, request, body)
    return _serve(repository, request, body, {})


def _repository(world: World, path: str, caller: Caller, writes: bool) -> Repository:
    owner, name = path.strip("/").split("/")[:2]
    found = world.repository(owner, name.removesuffix(".git"))
    credential = caller.credential
    if found is None or (credential and not sees(credential, found)):
        raise Refusal.not_found() if credential else Refusal(401, "Requires authentication")
    if credential is None:
        if found.private or writes:
            raise Refusal(401, "Requires authentication")
        return found
    if not may(credential, found, "contents", "write" if writes else "read"):
        raise Refusal(403, f"Permission to {found.slug}.git denied to {credential.user.login}.")
    return found


def _refuse(refusal: Refusal) -> Response:
    response = Response(f"{refusal}\n", refusal.status, content_type="text/plain")
    if refusal.status == 401:
        response.headers["WWW-Authenticate"] = 'Basic realm="GitHub"'
    return response


def _spool(request: Request) -> IO[bytes]:
    """The whole body first, so that a slow client never holds up the others."""
    spooled = cast(IO[bytes], tempfile.TemporaryFile())  # noqa: SIM115  (closed with the answer)
    _when_answered(request, spooled.close)
    while chunk := request.stream.read(_CHUNK):
        spooled.write(chunk)
    spooled.seek(0)
    return spooled


def _receive(
    world: World, repository: Repository, actor: User, request: Request, body: IO[bytes]
) -> Response:
    """A push. When its answer is out, everything that follows from it has happened."""
    with world.lock:
        wanted = _commands(body)
        before = repository.git.refs()
        response = _serve(repository, request, body, _protection(world, repository, actor, wanted))
        response.set_data(response.get_data())
        changes = pushes.changes_between(before, repository.git.refs())
        if changes:
            pushes.follow(world, repository, actor, changes)
    return response


def _when_answered(request: Request, end: Callable[[], object]) -> None:
    cast(ExitStack, request.environ[UNTIL_ANSWERED]).callback(end)


def _commands(body: IO[bytes]) -> list[tuple[str, str, str]]:
    """(old, new, ref) as the client asks for them, from the packet lines before the pack."""
    found = []
    while (length := int(body.read(4) or b"0", 16)) > 4:
        words = body.read(length - 4).partition(b"\0")[0].decode(errors="replace").split()
        if len(words) == 3:
            found.append((words[0], words[1], words[2]))
    body.seek(0)
    return found


def _protection(
    world: World, repository: Repository, actor: User, wanted: list[tuple[str, str, str]]
) -> dict[str, str]:
    """What the `update` hook needs to know to refuse, each of the refs with GitHub's message."""
    refused, no_force = [], []
    for _, new, ref in wanted:
        branch = ref.removeprefix("refs/heads/")
        if branch == ref:
            continue
        reasons = [] if new == ZERO or not world.merge_check else unsatisfied(repository, branch, new, actor)
        if has_rule(repository, branch, "pull_request", actor):
            reasons.append("Changes must be made through a pull request.")
        if new == ZERO and has_rule(repository, branch, "deletion", actor):
            reasons.append("Cannot delete this branch.")
        if reasons:
            refused.append(f"{ref} error: GH013: Repository rule violations found. {' '.join(reasons)}")
        if has_rule(repository, branch, "non_fast_forward", actor):
            no_force.append(ref)
    return {"SANDBOX_REFUSED": "\n".join(refused), "SANDBOX_NO_FORCE": "\n".join(no_force)}


def _serve(repository: Repository, request: Request, body: IO[bytes], more: dict[str, str]) -> Response:
    """Runs `git http-backend` and streams what it says."""
    body.seek(0, 2)
    size = body.tell()
    body.seek(0)
    git = repository.git.path
    backend = subprocess.Popen(
        ["git", "http-backend"],
        stdin=body,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment(git.parent) | _cgi(request, git.name, str(git.parent), size) | more,
    )
    output = cast(IO[bytes], backend.stdout)

    def end() -> None:
        output.close()
        backend.kill()
        backend.wait()

    _when_answered(request, end)
    headers = dict(_headers(output))
    status = int(headers.pop("Status", "200").split()[0])
    return Response(iter(lambda: output.read1(_CHUNK), b""), status, headers)  # type: ignore[attr-defined]


def _cgi(request: Request, folder: str, root: str, size: int) -> dict[str, str]:
    tail = "/".join(request.path.strip("/").split("/")[2:])
    return {
        "GIT_PROJECT_ROOT": root,
        "GIT_HTTP_EXPORT_ALL": "1",
        "PATH_INFO": f"/{folder}/{tail}",
        "REQUEST_METHOD": request.method,
        "QUERY_STRING": request.query_string.decode("latin-1"),
        "CONTENT_TYPE": request.headers.get("Content-Type", ""),
        "CONTENT_LENGTH": str(size),
        "HTTP_CONTENT_ENCODING": request.headers.get("Content-Encoding", ""),
        "GIT_PROTOCOL": request.headers.get("Git-Protocol", ""),
        "REMOTE_USER": "sandbox",
        "REMOTE_ADDR": "127.0.0.1",
        "GIT_COMMITTER_NAME": "GitHub",
        "GIT_COMMITTER_EMAIL": "noreply@github.com",
    }


def _headers(output: IO[bytes]) -> Iterator[tuple[str, str]]:
    while line := output.readline().strip():
        name, _, value = line.decode("latin-1").partition(":")
        yield name, value.strip()
