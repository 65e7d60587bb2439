"""A browser without scripts: keeps cookies per host, fills in forms, follows redirects, and obeys the page's policy."""

import http.client
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.cookies import SimpleCookie
from urllib.parse import urlencode, urljoin, urlsplit


@dataclass
class Form:
    method: str
    action: str
    fields: dict[str, str] = field(default_factory=dict)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.links: list[str] = []
        self.loads: list[str] = []
        """Whatever a page would fetch or run by itself."""
        self.text: list[str] = []
        self._silent = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        got = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(Form(got.get("method", "get").upper(), got.get("action", "")))
        elif tag == "input" and self.forms and got.get("name"):
            if got.get("type") != "radio" or "checked" in got:
                self.forms[-1].fields[got["name"]] = got.get("value", "")
        elif tag == "a" and "href" in got:
            self.links.append(got["href"])
        self.loads += [got["src"]] if "src" in got else []
        self.loads += [tag] if tag in ("script", "link", "iframe", "img", "object", "embed") else []
        self.loads += [name for name in got if name.startswith("on") or name == "style"]
        self._silent = tag in ("style", "title")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.text.append(data)


@dataclass
class Page:
    url: str
    status: int
    headers: dict[str, str]
    html: str

    def __post_init__(self) -> None:
        reader = _Reader()
        reader.feed(self.html)
        self.forms, self.links, self.loads = reader.forms, reader.links, reader.loads
        self.text = " ".join(" ".join(reader.text).split())

    def may_send_to(self, target: str) -> bool:
        """By `form-action` of the page's policy; without one anything goes."""
        match = re.search(r"form-action ([^;]*)", self.headers.get("content-security-policy", ""))
        origins = (
            [_origin(self.url) if part == "'self'" else part for part in match[1].split()] if match else None
        )
        return origins is None or _origin(target) in origins


class Browser:
    def __init__(self) -> None:
        self.cookies: dict[str, SimpleCookie] = {}
        self.page = Page("", 0, {}, "")

    def open(self, url: str) -> Page:
        return self._go("GET", url, "", {})

    def submit(self, **filled: str) -> Page:
        """The page's one form, with these fields changed."""
        (form,) = self.page.forms
        assert set(filled) <= {*form.fields, "owner"}, f"no such field: {filled}"
        target = urljoin(self.page.url, form.action)
        assert self.page.may_send_to(target), f"the page's own policy forbids sending to {target}"
        # With `Referrer-Policy: same-origin` another site learns nothing of where the form was.
        origin = _origin(self.page.url) if _origin(target) == _origin(self.page.url) else "null"
        return self._go(form.method, target, urlencode({**form.fields, **filled}), {"Origin": origin})

    def _go(self, method: str, url: str, body: str, headers: dict[str, str]) -> Page:
        for _ in range(10):
            parts = urlsplit(url)
            connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=60)
            sent = {**headers, "Cookie": self._cookies_for(parts.netloc, parts.path)}
            if method == "POST":
                sent["Content-Type"] = "application/x-www-form-urlencoded"
            path = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
            connection.request(method, path, body or None, sent)
            answer = connection.getresponse()
            html = answer.read().decode()
            for line in answer.headers.get_all("Set-Cookie") or ():
                self.cookies.setdefault(parts.netloc, SimpleCookie()).load(line)
            connection.close()
            got = {name.lower(): value for name, value in answer.getheaders()}
            if answer.status not in (301, 302, 303):
                self.page = Page(url, answer.status, got, html)
                return self.page
            method, url, body, headers = "GET", urljoin(url, got["location"]), "", {}
        raise AssertionError("too many redirects")

    def _cookies_for(self, host: str, path: str) -> str:
        kept = self.cookies.get(host, SimpleCookie())
        return "; ".join(
            f"{name}={morsel.value}"
            for name, morsel in kept.items()
            if path.startswith(morsel["path"] or "/")
        )


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
