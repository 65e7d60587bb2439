"""Hands webhooks over, signed, one after the other; what fails is logged and not tried again, as on GitHub."""

import hashlib
import hmac
import http.client
import json
import time
from collections import deque
from collections.abc import Callable
from threading import Condition, Thread
from typing import Any
from urllib.parse import urlsplit

from foureyes.github_app.sandbox.faults import Fault
from foureyes.github_app.sandbox.state import Delivery, World

_PATIENCE = 10.0
"""Seconds that GitHub waits for an answer."""


def headers(delivery: Delivery) -> dict[str, str]:
    secret = delivery.app.webhook_secret.encode()
    installation = delivery.installation
    return {
        "Content-Type": "application/json",
        "User-Agent": "GitHub-Hookshot/sandbox",
        "X-GitHub-Delivery": delivery.guid,
        "X-GitHub-Event": delivery.event,
        "X-GitHub-Hook-ID": str(delivery.app.id),
        "X-GitHub-Hook-Installation-Target-ID": str(installation.app.id if installation else delivery.app.id),
        "X-GitHub-Hook-Installation-Target-Type": "integration",
        "X-Hub-Signature": "sha1=" + hmac.new(secret, delivery.body, hashlib.sha1).hexdigest(),
        "X-Hub-Signature-256": "sha256=" + hmac.new(secret, delivery.body, hashlib.sha256).hexdigest(),
    }


class Courier:
    """One thread, so that deliveries arrive in the order in which things happened unless a fault says otherwise."""

    def __init__(self, world: World, on_webhook: Callable[[str, Any], None] | None = None) -> None:
        self._world = world
        self._on_webhook = on_webhook
        self._changed = Condition()
        self._waiting: deque[Delivery] = deque()
        self._held: list[Delivery] = []
        self._released: set[int] = set()
        self._busy = False
        self._stopped = False
        self.log: list[Delivery] = []
        self._thread = Thread(target=self._run, name="sandbox-courier", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        self._thread.join()

    def hand_over(self, delivery: Delivery) -> None:
        if self._on_webhook is not None:
            self._on_webhook(delivery.event, json.loads(delivery.body))
        with self._changed:
            self.log.append(delivery)
            self._waiting.append(delivery)
            self._changed.notify_all()

    def redeliver(self, old: Delivery) -> Delivery:
        """Another attempt with the same GUID and the same bytes."""
        again = Delivery(
            id=self._world.next_id(),
            guid=old.guid,
            app=old.app,
            installation=old.installation,
            repository=old.repository,
            event=old.event,
            action=old.action,
            body=old.body,
            redelivery=True,
        )
        self.hand_over(again)
        return again

    def release(self) -> int:
        """Sends what a `hold` fault kept back, the last one first."""
        with self._changed:
            held, self._held = self._held[::-1], []
            self._released.update(delivery.id for delivery in held)
            self._waiting.extendleft(reversed(held))
            self._changed.notify_all()
        return len(held)

    def wait_idle(self, timeout: float = 30.0) -> bool:
        """Until everything that is not held was attempted."""
        with self._changed:
            return self._changed.wait_for(lambda: self._stopped or not (self._waiting or self._busy), timeout)

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._stopped)
                if self._stopped:
                    return
                delivery = self._waiting.popleft()
                self._busy = True
            self._attempt(delivery)
            with self._changed:
                self._busy = False
                self._changed.notify_all()

    def _attempt(self, delivery: Delivery) -> None:
        faults = self._world.faults
        fault = None
        if not delivery.redelivery and delivery.id not in self._released:
            fault = faults.for_delivery(delivery.event, delivery.action)
        if fault is not None and fault.kind == "hold":
            with self._changed:
                self._held.append(delivery)
            return
        if fault is not None and fault.kind == "delay":
            faults.over.wait(fault.seconds)
        delivery.delivered_at = self._world.now()
        delivery.headers = headers(delivery)
        if fault is not None and fault.kind == "lose":
            delivery.status, delivery.status_code = "failed to connect to host", 502
            return
        for _ in range(_copies(fault)):
            self._post(delivery)

    def _post(self, delivery: Delivery) -> None:
        url = urlsplit(delivery.app.webhook_url)
        if not url.hostname:
            delivery.status = "no webhook URL"
            return
        started = time.monotonic()
        connection = http.client.HTTPConnection(url.hostname, url.port or 80, timeout=_PATIENCE)
        try:
            connection.request("POST", url.path or "/", delivery.body, delivery.headers)
            answer = connection.getresponse()
            delivery.response = answer.read(65536).decode(errors="replace")
            delivery.status_code = answer.status
            delivery.status = "OK" if answer.status < 300 else f"Invalid HTTP Response: {answer.status}"
        except (OSError, http.client.HTTPException) as problem:
            timed_out = isinstance(problem, TimeoutError)
            delivery.status = "timed out" if timed_out else "failed to connect to host"
            delivery.status_code = 504 if timed_out else 502
        finally:
            connection.close()
            delivery.duration = round(time.monotonic() - started, 3)


def _copies(fault: Fault | None) -> int:
    return fault.copies if fault is not None and fault.kind == "repeat" else 1
