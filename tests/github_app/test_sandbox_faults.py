"""The sandbox misbehaves on demand, as GitHub and the network do, and only then."""

import http.client
import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from support_git import run
from support_sandbox import Receiver, World, ask, head, running_sandbox

from foureyes.github_app.sandbox.faults import ANSWER_FAULTS, DELIVERY_FAULTS

REPO = "/repos/acme/shop"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with running_sandbox(tmp_path) as world:
        yield world


def fault(world: World, **how: object) -> None:
    world.control("POST", "faults", how)


def test_a_server_error_comes_as_often_as_asked_and_then_never(world: World) -> None:
    fault(world, kind="status", match="GET /api/v3/repos/*", status=502, times=2)
    told = [world.by("olga", "GET", REPO) for _ in range(3)]
    assert [a.status for a in told] == [502, 502, 200]
    assert told[0].headers["x-sandbox-fault"] == "status"
    assert "x-sandbox-fault" not in told[2].headers


@pytest.mark.parametrize("headers", [{"Retry-After": "7"}, {}])
@pytest.mark.parametrize("status", [403, 429])
def test_rate_limits_with_and_without_retry_after(world: World, status: int, headers: dict[str, str]) -> None:
    message = "You have exceeded a secondary rate limit."
    fault(world, kind="status", status=status, message=message, headers=headers)
    told = world.by("olga", "GET", REPO)
    assert (told.status, told.body["message"]) == (status, message)
    assert told.headers.get("retry-after") == headers.get("Retry-After")


def test_skip_lets_the_first_ones_through(world: World) -> None:
    fault(world, kind="status", skip=1, status=500)
    assert [world.by("olga", "GET", REPO).status for _ in range(3)] == [200, 500, 200]


def test_a_write_whose_answer_is_lost_has_happened(world: World) -> None:
    number = world.open_pull()
    fault(world, kind="lost-answer", match="POST */reviews", status=504)
    assert world.review("rita", number).status == 504
    assert [r["state"] for r in world.shop("olga", "GET", f"/pulls/{number}/reviews").body] == ["APPROVED"]


def test_a_cut_answer_is_shorter_than_it_says(world: World) -> None:
    fault(world, kind="truncate", match="GET *")
    parts = urlsplit(world.url)
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=30)
    connection.request("GET", f"/api/v3{REPO}")
    with pytest.raises(http.client.IncompleteRead):
        connection.getresponse().read()
    connection.close()


def test_a_hang_up_sends_no_body(world: World) -> None:
    fault(world, kind="hang-up")
    with pytest.raises((http.client.IncompleteRead, http.client.RemoteDisconnected)):
        ask(world.url, "GET", f"/api/v3{REPO}")


def test_a_slow_answer_comes_after_all_and_stops_with_the_sandbox(world: World) -> None:
    fault(world, kind="slow", seconds=0.01)
    assert world.by("olga", "GET", REPO).status == 200
    assert world.control("GET", "faults")["faults"] == []


def test_an_error_beside_the_data_of_a_query(world: World) -> None:
    fault(
        world, kind="graphql-error", match="POST /api/graphql", error_type="RATE_LIMITED", message="too much"
    )
    answer = world.query("{ viewer { login } }")
    assert answer["errors"] == [{"type": "RATE_LIMITED", "message": "too much"}]
    assert answer["data"]["viewer"]
    assert "errors" not in world.query("{ viewer { login } }")


def test_git_fails_too(world: World) -> None:
    fault(world, kind="status", match="GET /acme/shop.git/info/refs", status=503)
    done = run(["git", "ls-remote", world.remote("olga")], world.folder, ok=False)
    assert b"503" in done.stderr
    assert run(["git", "ls-remote", world.remote("olga")], world.folder).stdout


@pytest.mark.parametrize(("how", "expected"), [("empty", 0), ("first", 1), ("", 3)])
def test_a_wrong_files_list_over_rest_and_graphql(world: World, how: str, expected: int) -> None:
    number = world.open_pull(files={"infra/a": "a", "infra/b": "b", "infra/c": "c"})
    world.control("POST", "settings", {"files_list": how})
    assert len(world.shop("olga", "GET", f"/pulls/{number}/files").body) == expected
    assert world.pull_field("files(first: 9) { totalCount }")["files"]["totalCount"] == expected
    assert world.pull_field("changedFiles")["changedFiles"] == 3


def test_renamed_files_in_a_wrong_list(world: World) -> None:
    number = world.open_pull(files={"infra/a": "a"})
    world.control("POST", "settings", {"files_list": "renamed"})
    assert world.shop("olga", "GET", f"/pulls/{number}/files").body[0]["filename"] == "docs/infra/a"


def test_caps_cut_lists_as_githubs_do(world: World) -> None:
    number = world.open_pull(files={f"infra/{n}": "x" for n in range(5)})
    world.control("POST", "settings", {"caps": {"pull_files": 2, "compare_files": 3, "pull_commits": 0}})
    assert len(world.shop("olga", "GET", f"/pulls/{number}/files?per_page=100").body) == 2
    compared = world.shop("olga", "GET", "/compare/main...feature").body
    assert (len(compared["files"]), len(compared["commits"]), compared["total_commits"]) == (3, 0, 1)
    assert world.shop("olga", "GET", f"/pulls/{number}/commits").body == []
    world.control("DELETE", "faults")
    assert len(world.shop("olga", "GET", f"/pulls/{number}/commits").body) == 1


def deliver(world: World, receiver: Receiver) -> list[str]:
    world.sandbox.set_webhook_url(receiver.url)
    world.open_pull()
    assert world.sandbox.wait_delivered()
    return receiver.events()


IN_ORDER = ["push", "check_suite", "pull_request"]


def test_deliveries_come_in_order_without_a_fault(world: World) -> None:
    with Receiver() as receiver:
        assert deliver(world, receiver) == IN_ORDER


def test_a_lost_delivery_is_logged_as_failed_and_can_be_sent_again(world: World) -> None:
    with Receiver() as receiver:
        fault(world, kind="lose", match="pull_request.opened")
        assert deliver(world, receiver) == ["push", "check_suite"]
        token = world.app_jwt()
        failed = world.request("GET", "/api/v3/app/hook/deliveries?status=failure", token=token).body
        assert [(d["event"], d["action"]) for d in failed] == [("pull_request", "opened")]
        path = f"/api/v3/app/hook/deliveries/{failed[0]['id']}"
        assert world.request("POST", f"{path}/attempts", token=token).status == 202
        assert world.sandbox.wait_delivered()
        assert receiver.events() == [*IN_ORDER]
        assert receiver.heard[-1][0]["x-github-delivery"] == failed[0]["guid"]
        latest = world.request("GET", "/api/v3/app/hook/deliveries?per_page=1", token=token)
        assert (latest.body[0]["redelivery"], latest.body[0]["status_code"]) == (True, 202)
        assert 'rel="next"' in latest.headers["link"]
        whole = world.request("GET", f"/api/v3/app/hook/deliveries/{latest.body[0]['id']}", token=token).body
        assert whole["request"]["payload"] == json.loads(receiver.heard[-1][1])


def test_a_repeated_delivery_keeps_its_guid(world: World) -> None:
    with Receiver() as receiver:
        fault(world, kind="repeat", match="push", copies=3)
        assert deliver(world, receiver) == ["push"] * 3 + IN_ORDER[1:]
        assert len({headers["x-github-delivery"] for headers, _ in receiver.heard[:3]}) == 1


def test_a_delayed_delivery_arrives(world: World) -> None:
    with Receiver() as receiver:
        fault(world, kind="delay", match="push", seconds=0.01)
        assert deliver(world, receiver) == IN_ORDER


def test_held_deliveries_come_last_one_first(world: World) -> None:
    with Receiver() as receiver:
        fault(world, kind="hold", times=3)
        assert deliver(world, receiver) == []
        assert world.control("POST", "release")["released"] == 3
        assert world.sandbox.wait_delivered()
        assert receiver.events() == IN_ORDER[::-1]


def test_a_receiver_that_fails_is_not_tried_again(world: World) -> None:
    with Receiver() as receiver:
        receiver.statuses = [500]
        assert deliver(world, receiver) == IN_ORDER
    log = world.control("GET", "deliveries")
    assert [d["status_code"] for d in log] == [500, 202, 202]


def test_a_receiver_that_is_not_there_is_logged(world: World) -> None:
    with Receiver() as receiver:
        url = receiver.url
    world.sandbox.set_webhook_url(url)
    world.open_pull()
    assert world.sandbox.wait_delivered()
    assert {d["status"] for d in world.control("GET", "deliveries")} == {"failed to connect to host"}


def test_an_unknown_fault_is_refused_by_name(world: World) -> None:
    answer = world.request("POST", "/_sandbox/faults", {"kind": "gremlin"})
    assert answer.status == 422
    assert "gremlin" in answer.body["message"]
    assert set(world.control("GET", "faults")["kinds"]) == set(ANSWER_FAULTS) | set(DELIVERY_FAULTS)


def test_no_fault_without_asking(world: World) -> None:
    number = world.open_pull()
    world.publish(head(world.folder / "olga-acme-shop"), "success")
    assert world.merge("olga", number).status == 200
