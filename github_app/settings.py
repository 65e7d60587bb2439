"""What the server is told by its environment: `FOUREYES_*`, read once into one frozen object. What the environment does
not say about the App itself is taken from the files that set-up left in the data folder (credentials.py).

docs/operations.md documents each of them (a test holds the two together). Secrets never appear in a `repr`.
"""

import hashlib
import hmac
import os
import re
import stat
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import SplitResult, quote, urlsplit

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from foureyes.github_app import credentials
from foureyes.shared.errors import UserError

PREFIX = "FOUREYES_"

DEFAULTS = {
    "APP_ID": "",
    "DATA": "foureyes-data",
    "DATABASE_URL": "",
    "DRAIN_SECONDS": "20",
    "FETCH_SECONDS": "300",
    "GITHUB_URL": "https://github.com",
    "HOST": "127.0.0.1",
    "KEEP_DECISIONS_DAYS": "400",
    "KEEP_DELIVERIES_DAYS": "30",
    "LEASE_SECONDS": "60",
    "LOG": "info",
    "MIRROR_MIB": "8192",
    "ORG_FLOOR_REQUIRED": "no",
    "PORT": "8080",
    "PRIVATE_KEY": "",
    "PRIVATE_KEY_FILE": "",
    "SANDBOX_TOKEN": "",
    "SWEEP_SECONDS": "300",
    "URL": "",
    "WEBHOOK_SECRET": "",
    "WORKERS": "4",
}
"""Every setting, without its prefix, and what it is if it is not set."""

POLL_SECONDS = "60"
"""The sweep's pace where nothing else tells what happened, unless SWEEP_SECONDS is set."""
SHORTEST_SECRET = 16
_HOST = re.compile(r"[A-Za-z0-9.-]{1,253}|[0-9A-Fa-f:.]{2,45}")


@dataclass(frozen=True)
class Settings:
    app_id: int
    private_key: str = field(repr=False)
    """PEM."""
    webhook_secrets: tuple[str, ...] = field(repr=False)
    """One, or two while the secret is being changed."""
    github_url: str = "https://github.com"
    """GitHub's web address, without a slash at the end."""
    data: Path = Path("foureyes-data")
    """Folder for what may be lost (mirrors) and, unless DATABASE_URL says otherwise, for the SQLite file."""
    database_url: str = field(default="sqlite:///foureyes-data/foureyes.sqlite3", repr=False)
    host: str = "127.0.0.1"
    port: int = 8080
    workers: int = 4
    lease_seconds: int = 60
    sweep_seconds: int = 300
    drain_seconds: int = 20
    fetch_seconds: int = 300
    mirror_mib: int = 8192
    keep_decisions_days: int = 400
    """Of decisions that newer ones replaced; 0: for good."""
    keep_deliveries_days: int = 30
    """Of deliveries that were decided; 0: for good."""
    org_floor_required: bool = False
    log: str = "info"
    sandbox_token: str = field(default="", repr=False)
    url: str = ""
    """The address by which GitHub and people reach this server, without a slash at the end; empty: not told."""
    poll: bool = False
    """No webhooks are heard: the sweep alone finds what happened."""

    @property
    def api_url(self) -> str:
        """Base of the REST API, without a slash at the end."""
        return api_url(self.github_url)

    @property
    def graphql_url(self) -> str:
        rest = self.api_url
        return rest.removesuffix("/v3") + "/graphql" if rest.endswith("/api/v3") else f"{rest}/graphql"

    @property
    def has_documented_limits(self) -> bool:
        """Limits by the minute are documented for github.com and GHE.com; Enterprise Server has its own, or none."""
        host = (urlsplit(self.github_url).hostname or "").lower()
        return host == "github.com" or host.endswith(".ghe.com")

    def git_url(self, slug: str) -> str:
        """Where `owner/name` is fetched from. Holds no credentials."""
        return f"{self.github_url}/{slug}.git"


def api_url(github_url: str) -> str:
    """github.com and GHE.com have an `api.` host; GitHub Enterprise Server has a path."""
    parts = urlsplit(github_url)
    host = (parts.hostname or "").lower()
    if host == "github.com":
        return "https://api.github.com"
    if host.endswith(".ghe.com"):
        return f"https://api.{host}"
    return f"{github_url}/api/v3"


def sqlite_url(file: Path) -> str:
    """The address of a database file, whatever characters its folder's name holds."""
    return f"sqlite:///{quote(str(file))}"


def is_first_run(environment: Mapping[str, str]) -> bool:
    """Whether neither the environment nor the data folder says anything about an App."""
    names = (*credentials.NAMES, "PRIVATE_KEY")
    told = any(environment.get(PREFIX + name, "").strip() for name in names if name != "GITHUB_URL")
    data = environment.get(f"{PREFIX}DATA", "").strip() or DEFAULTS["DATA"]
    return not told and not credentials.are_stored(Path(data))


def read_settings(environment: Mapping[str, str], *, first_run: bool = False, poll: bool = False) -> Settings:
    """Raises one UserError that names every problem. Reads the key file; asks a sandbox for its proof.

    `first_run`: of a server that has no App yet; its id is 0, and key and secrets are empty. `poll`: of one that hears
    no webhooks; it needs no secret, and sweeps every minute unless it is told otherwise.
    """
    reader = _Reader(environment)
    data = Path(reader.text("DATA"))
    if poll and "SWEEP_SECONDS" not in reader.told:
        reader.values["SWEEP_SECONDS"] = POLL_SECONDS
    if not first_run:
        reader.add_stored(data)
    settings = Settings(
        app_id=0 if first_run else reader.number("APP_ID", 1, 2**53),
        private_key="" if first_run else reader.private_key(),
        webhook_secrets=() if first_run or poll else reader.secrets(),
        github_url=reader.github_url(),
        data=data,
        database_url=reader.database_url(data),
        host=reader.text("HOST"),
        port=reader.number("PORT", 0, 65535),
        workers=reader.number("WORKERS", 1, 64),
        lease_seconds=reader.number("LEASE_SECONDS", 30, 900),
        sweep_seconds=reader.number("SWEEP_SECONDS", 10, 3600),
        drain_seconds=reader.number("DRAIN_SECONDS", 0, 600),
        fetch_seconds=reader.number("FETCH_SECONDS", 10, 540),
        mirror_mib=reader.number("MIRROR_MIB", 16, 2**20),
        keep_decisions_days=reader.number("KEEP_DECISIONS_DAYS", 0, 36_500),
        keep_deliveries_days=reader.number("KEEP_DELIVERIES_DAYS", 0, 36_500),
        org_floor_required=reader.yes_or_no("ORG_FLOOR_REQUIRED"),
        log=reader.one_of("LOG", ("debug", "info", "warning", "error")),
        sandbox_token=reader.values["SANDBOX_TOKEN"],
        url=reader.url(),
        poll=poll,
    )
    reader.report()
    return settings


def read_database_url(environment: Mapping[str, str]) -> str:
    """Where the state is, for a command that needs nothing else. Raises UserError."""
    reader = _Reader(environment)
    url = reader.database_url(Path(reader.text("DATA")))
    reader.report("they say where the server keeps its decisions")
    return url


def read_github_url(environment: Mapping[str, str]) -> str:
    """Where GitHub is, for a command that needs nothing else. Raises UserError."""
    wanted = {PREFIX + name: environment.get(PREFIX + name, "") for name in ("GITHUB_URL", "SANDBOX_TOKEN")}
    reader = _Reader(wanted)
    url = reader.github_url()
    reader.report("they say which GitHub is asked")
    return url


class _Reader:
    """Reads one setting after the other and keeps the problems, so that all are told at once."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.values = dict(DEFAULTS)
        self.told: set[str] = set()
        self.problems: list[str] = []
        for name, value in environment.items():
            short = name.removeprefix(PREFIX)
            if name == short or short.startswith("TEST_"):
                continue
            if short not in DEFAULTS:
                self.problems.append(f"{name} is not a setting{_did_you_mean(short)}")
            elif value.strip():
                self.values[short] = value.strip()
                self.told.add(short)

    def add_stored(self, data: Path) -> None:
        """What set-up left, where the environment is silent: not looked at if that names the whole App."""
        if "PRIVATE_KEY" in self.told:
            self.told.add("PRIVATE_KEY_FILE")
        if {"APP_ID", "PRIVATE_KEY_FILE", "WEBHOOK_SECRET"} <= self.told:
            return
        try:
            stored = credentials.read(data)
        except credentials.CredentialsError as error:
            self.problems.append(str(error))
            return
        self.values |= {name: value for name, value in stored.items() if name not in self.told}

    def report(self, why: str = "it starts only if it can verify what it hears and say who it is") -> None:
        if not self.problems:
            return
        step = "set these right in the environment; docs/operations.md lists every setting"
        if any(" is missing" in problem for problem in self.problems):
            step += ". An App can be stored with `foureyes app credentials` instead"
        lines = "".join(f"\n  - {problem}" for problem in self.problems)
        raise UserError(f"the settings do not hold:{lines}", why=why, next_step=step)

    def problem(self, name: str, what: str) -> None:
        self.problems.append(f"{PREFIX}{name} {what}")

    def text(self, name: str) -> str:
        return self.values[name]

    def number(self, name: str, least: int, most: int) -> int:
        value = self.values[name]
        if value == "":
            self.problem(name, "is missing")
        elif not re.fullmatch(r"[0-9]{1,16}", value) or not least <= int(value) <= most:
            self.problem(name, f"must be a whole number from {least} to {most}, and is {value[:40]!r}")
        else:
            return int(value)
        return least

    def yes_or_no(self, name: str) -> bool:
        return self.one_of(name, ("yes", "no")) == "yes"

    def one_of(self, name: str, choices: tuple[str, ...]) -> str:
        value = self.values[name].lower()
        if value not in choices:
            self.problem(name, f"must be one of {', '.join(choices)}, and is {value[:40]!r}")
        return value

    def secrets(self) -> tuple[str, ...]:
        found = tuple(
            part.strip() for part in re.split(r"[,\n]", self.values["WEBHOOK_SECRET"]) if part.strip()
        )
        if not found:
            self.problem("WEBHOOK_SECRET", "is missing: without it anyone could send us events")
        elif len(found) > 2:
            self.problem(
                "WEBHOOK_SECRET", f"holds {len(found)} secrets; two are enough to change one for another"
            )
        elif any(len(secret) < SHORTEST_SECRET for secret in found):
            self.problem(
                "WEBHOOK_SECRET", f"is shorter than {SHORTEST_SECRET} characters: it could be guessed"
            )
        return found

    def private_key(self) -> str:
        inline, file = self.values["PRIVATE_KEY"], self.values["PRIVATE_KEY_FILE"]
        if bool(inline) == bool(file):
            both = "and {}PRIVATE_KEY are both set; keep one" if inline else "is missing (or {}PRIVATE_KEY)"
            self.problem("PRIVATE_KEY_FILE", both.format(PREFIX))
            return ""
        name = "PRIVATE_KEY" if inline else "PRIVATE_KEY_FILE"
        # A PEM in one environment line often has its line ends written out.
        pem = inline.replace("\\n", "\n") if inline else self._key_file(Path(file))
        if pem is not None and (wrong := private_key_problem(pem)):
            self.problem(name, wrong)
        return pem or ""

    def _key_file(self, path: Path) -> str | None:
        try:
            mode = path.stat().st_mode
            pem = path.read_text("ascii")
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is not text"
            self.problem("PRIVATE_KEY_FILE", f"cannot be read: {path}: {why}")
            return None
        if os.name == "posix" and stat.S_IMODE(mode) & 0o077:
            self.problem(
                "PRIVATE_KEY_FILE", f"can be read by others (mode {stat.S_IMODE(mode):04o}): chmod 600 {path}"
            )
        return pem

    def database_url(self, data: Path) -> str:
        url = self.values["DATABASE_URL"]
        if not url:
            return sqlite_url(data / "foureyes.sqlite3")
        scheme, _, rest = url.partition("://")
        try:
            make_url(url)
        except (ArgumentError, ValueError):
            rest = ""
        if rest and scheme in ("postgres", "postgresql", "postgresql+psycopg"):
            return f"postgresql+psycopg://{rest}"
        if scheme != "sqlite" or rest in ("", "/") or ":memory:" in rest:
            # The address may hold a password, so it is not repeated.
            self.problem("DATABASE_URL", "must be postgresql://... or sqlite:///FILE")
        return url

    def github_url(self) -> str:
        url = self.values["GITHUB_URL"].rstrip("/")
        try:
            parts = urlsplit(url)
            port_is_fine = parts.port is None or parts.port > 0
        except ValueError:
            parts, port_is_fine = urlsplit(""), False
        if parts.scheme not in ("https", "http") or not parts.hostname or not port_is_fine:
            self.problem("GITHUB_URL", "must be GitHub's web address, such as https://github.com")
        elif parts.username or parts.password or parts.query or parts.fragment or parts.path:
            self.problem("GITHUB_URL", "must be an address alone, without a user, a path or a query")
        elif (parts.hostname or "").lower() in ("api.github.com", "www.github.com"):
            self.problem("GITHUB_URL", "must be the web address: https://github.com")
        elif (insecure := _insecure(parts)) and (wrong := self._sandbox(url)):
            self.problem("GITHUB_URL", f"{insecure}, so anyone nearby could answer for GitHub; {wrong}")
        return url

    def url(self) -> str:
        url = self.values["URL"].rstrip("/")
        if url and (wrong := public_address_problem(url, bool(self.values["SANDBOX_TOKEN"]))):
            self.problem("URL", wrong)
        return url

    def _sandbox(self, url: str) -> str:
        """Empty if a sandbox answers there that knows our token; otherwise what is wrong."""
        token = self.values["SANDBOX_TOKEN"]
        if not token:
            return f"only `foureyes sandbox` may be used like that ({PREFIX}SANDBOX_TOKEN is not set)"
        try:
            # No proxy: a stand-in on this machine is never reached through another.
            opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
            with opener.open(f"{url}/_sandbox/token-proof", timeout=5) as answer:
                proof = answer.read(200).decode("ascii", "replace").strip().strip('"')
        except (OSError, ValueError) as error:
            return f"no sandbox answers there ({error})"
        right = hashlib.sha256(token.encode()).hexdigest()
        return (
            "" if hmac.compare_digest(proof, right) else "what answers there is not the sandbox of this token"
        )


def public_address_problem(url: str, with_sandbox: bool) -> str:
    """Why GitHub could not send webhooks to `url`; empty if nothing speaks against it. A sandbox is on this machine."""
    try:
        parts = urlsplit(url)
        port_is_fine = parts.port is None or parts.port > 0
    except ValueError:
        return "must be an address such as https://foureyes.example.org"
    if parts.scheme not in ("https", "http") or not _HOST.fullmatch(parts.hostname or "") or not port_is_fine:
        return "must be an address such as https://foureyes.example.org"
    if parts.username or parts.password or parts.query or parts.fragment or parts.path not in ("", "/"):
        return "must be an address alone, without a user, a path or a query"
    if (insecure := _insecure(parts)) and not with_sandbox:
        return f"{insecure}: GitHub must reach it over https, from outside"
    return ""


def _insecure(parts: SplitResult) -> str:
    host = (parts.hostname or "").lower().rstrip(".")
    try:
        loopback = ip_address(host).is_loopback or ip_address(host).is_unspecified
    except ValueError:
        loopback = host == "localhost" or host.endswith(".localhost")
    if loopback:
        return "is an address of this machine"
    return "is not https" if parts.scheme != "https" else ""


def private_key_problem(pem: str) -> str:
    """Why GitHub would not have given this as an App's key; empty if it could have."""
    try:
        key = load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return "does not hold an unencrypted private key in PEM form"
    return "" if isinstance(key, RSAPrivateKey) else "is not an RSA key: GitHub gives Apps RSA keys"


def _did_you_mean(short: str) -> str:
    from difflib import get_close_matches

    near = get_close_matches(short, DEFAULTS, 1)
    return f" (did you mean {PREFIX}{near[0]}?)" if near else ""
