"""Pages that were read before, with GitHub's tag of each: what GitHub says is the same need not be sent again.

Nothing here is ever answered without asking GitHub.
"""

import threading
from collections.abc import Callable, Hashable, Mapping
from dataclasses import replace

from foureyes.github_app.answer import Answer

MOST_PAGES = 2_000


class Revalidated:
    """Safe for many threads."""

    def __init__(self, most: int = MOST_PAGES) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._pages: dict[Hashable, Answer] = {}

    def page(self, key: Hashable, ask: Callable[[Mapping[str, str]], Answer]) -> Answer:
        """`ask` sends the headers it is given. Raises what it raises."""
        with self._lock:
            held = self._pages.get(key)
        answer = ask({"If-None-Match": held.headers["etag"]} if held is not None else {})
        if answer.status == 304 and held is not None:
            # the links and the body are those of the page; the rest is of this answer
            return replace(held, began=answer.began)
        with self._lock:
            if len(self._pages) >= self._most:
                self._pages.clear()
            if "etag" in answer.headers:
                self._pages[key] = answer
            else:
                self._pages.pop(key, None)
        return answer
