"""Tokens: people's, an App's signed JWT, and the installation tokens that it is exchanged for."""

import base64
import secrets
from dataclasses import dataclass
from datetime import timedelta

import jwt

from foureyes.github_app.sandbox.access import allows
from foureyes.github_app.sandbox.answers import Refusal
from foureyes.github_app.sandbox.state import App, Credential, Installation, Repository, User, World

_LONGEST_JWT = 600
_FILLING = 190
"""Random bytes that bring an installation token to the length of GitHub's own, about 520 characters."""
_LEEWAY = 60


@dataclass(frozen=True)
class Caller:
    """Who asks: an App by its JWT, or whoever a token stands for; nobody at all if both are None."""

    app: App | None = None
    credential: Credential | None = None

    @property
    def bucket(self) -> str:
        if self.credential is not None:
            return self.credential.bucket
        return f"app {self.app.id}" if self.app else "nobody"

    @property
    def user(self) -> User:
        if self.credential is None:
            raise Refusal(401, "Requires authentication")
        return self.credential.user


def person_token(world: World, user: User) -> str:
    token = "ghp_" + secrets.token_hex(18)
    world.credentials[token] = Credential(user)
    return token


def installation_token(
    world: World,
    installation: Installation,
    permissions: dict[str, str] | None = None,
    repositories: list[Repository] | None = None,
) -> tuple[str, Credential]:
    """As GitHub makes them since 2026: `ghs_<app id>_<JWT>`, about 520 characters with dots in them."""
    wanted = permissions or installation.permissions
    if not all(allows(installation.permissions, name, level) for name, level in wanted.items()):
        raise Refusal(422, "The permissions requested are not granted to this installation.")
    expires = world.time() + timedelta(hours=1)
    claims = {"iss": "sandbox", "sub": str(installation.id), "exp": int(expires.timestamp())}
    prefix = f"ghs_{installation.app.id}_"
    filling = secrets.token_urlsafe(_FILLING)
    token = prefix + jwt.encode(claims | {"jti": filling}, secrets.token_bytes(32), algorithm="HS256")
    granted = {"metadata": "read"} | wanted
    credential = Credential(
        installation.app.bot,
        installation,
        granted,
        None if repositories is None else tuple(r.id for r in repositories),
        expires.strftime("%Y-%m-%dT%H:%M:%SZ"),
    )
    world.credentials[token] = credential
    return token, credential


def authenticate(world: World, header: str | None) -> Caller:
    """Reads an `Authorization` header; none is nobody, a wrong one is refused with 401."""
    if not header:
        return Caller()
    scheme, _, value = header.partition(" ")
    value = value.strip()
    if scheme.lower() == "basic":
        value = _password(value)
    elif scheme.lower() not in ("bearer", "token"):
        raise Refusal(401, "Bad credentials")
    if scheme.lower() == "bearer" and value.count(".") == 2 and not value.startswith("gh"):
        return Caller(app=_app_of(world, value))
    credential = world.credentials.get(value)
    if credential is None or (credential.expires_at and credential.expires_at <= world.now()):
        raise Refusal(401, "Bad credentials")
    if credential.installation is not None and credential.installation.suspended_at:
        raise Refusal(403, "This installation has been suspended")
    return Caller(credential=credential)


def _password(value: str) -> str:
    """The password of basic authentication, or the user name where a token is given as that alone."""
    try:
        name, _, password = base64.b64decode(value).decode().partition(":")
    except ValueError:
        raise Refusal(401, "Bad credentials") from None
    return name if password in ("", "x-oauth-basic") else password


def _app_of(world: World, token: str) -> App:
    """Verifies the App's JWT with its public key: RS256, at most ten minutes, issued by an App we know."""
    try:
        issuer = str(jwt.decode(token, options={"verify_signature": False}).get("iss"))
        app = next((a for a in world.apps.values() if issuer in (str(a.id), f"Iv1.sandbox{a.id}")), None)
        if app is None:
            raise Refusal(404, "Integration not found")
        options: jwt.types.Options = {"require": ["exp", "iat"], "verify_aud": False}
        claims = jwt.decode(token, app.public_key, algorithms=["RS256"], leeway=_LEEWAY, options=options)
    except jwt.PyJWTError as problem:
        message = f"A JSON web token could not be decoded: {problem}"
        raise Refusal(401, message) from None
    if claims["exp"] - world.time().timestamp() > _LONGEST_JWT + _LEEWAY:
        raise Refusal(401, "'Expiration time' claim ('exp') is too far in the future")
    return app
