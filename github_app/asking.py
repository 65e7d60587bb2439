"""How a query is put together, read to its last page, and understood."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, TypeVar

from foureyes.github_app.answer_values import flag, number, text
from foureyes.github_app.client import GitHubError, InstallationClient
from foureyes.shared.facts import Fact, Known, Unknown

T = TypeVar("T")

MOST_PAGES = 60


@cache
def operation(name: str) -> str:
    """The text of one operation with the fragments that it uses."""
    text = (files(__package__) / "pull_query.graphql").read_text("utf-8")
    text = re.sub(r"^#.*\n", "", text, flags=re.M)
    blocks = {found[2]: found[0] for found in re.finditer(r"^(query|fragment) (\w+)[\s\S]*?^\}", text, re.M)}
    needed = {name: None}
    waiting = [name]
    while waiting:
        used = dict.fromkeys(re.findall(r"\.\.\.(\w+)", blocks[waiting.pop()]))
        waiting += [block for block in used if block not in needed]
        needed |= used
    return "\n\n".join(blocks[block] for block in needed)


def understood(read: Callable[[], T]) -> T:
    """What `read` makes of an answer; an answer of another shape is a GitHubError, never a guess."""
    try:
        return read()
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise GitHubError(f"GitHub's answer was not understood ({type(error).__name__}: {error})") from error


@dataclass(frozen=True)
class Pages:
    """Of the lists of one pull request."""

    client: InstallationClient
    variables: Mapping[str, object]
    head: str

    def all(self, more: str, first: Mapping[str, Any], what: str) -> Fact[list[Any]]:
        """All items of a connection. The count must hold over all pages, and the cursor must advance."""
        count = _count(first)
        nodes = list(first["nodes"])
        page = first
        cursors: set[str] = set()
        while flag(page["pageInfo"]["hasNextPage"]):
            after = text(page["pageInfo"]["endCursor"])
            if after in cursors or len(cursors) >= MOST_PAGES:
                return Unknown(f"GitHub's pages of {what} do not end")
            cursors.add(after)
            data = self.client.graphql(operation(more), {**self.variables, "after": after})
            pull = there(data["repository"]["pullRequest"], "pull request")
            if pull["headRefOid"] != self.head:
                return Unknown("the head moved while it was read")
            page = pull["page"]
            nodes += page["nodes"]
        if len(nodes) != count or _count(page) != count or None in nodes:
            return Unknown(f"GitHub lists {len(nodes)} of {count} {what}")
        return Known(nodes)


def is_repeated(nodes: Iterable[Mapping[str, Any]]) -> bool:
    """Whether one of them, by its `id`, stands there twice: then it stands in the place of another."""
    ids = [text(node["id"]) for node in nodes]
    return len(set(ids)) != len(ids)


def _count(page: Mapping[str, Any]) -> int:
    return number(page["filteredCount"] if "filteredCount" in page else page["totalCount"])


def there(value: Any, what: str) -> Any:
    """The value; raises ValueError for null, which `understood` turns into a GitHubError."""
    if value is None:
        raise ValueError(f"no {what}")
    return value
