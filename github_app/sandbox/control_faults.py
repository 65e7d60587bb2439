"""How the sandbox is made to misbehave, below /_sandbox/: faults, settings, and deliveries held back or told."""

# ruff: noqa: ARG001  (all entries of the table take the same arguments)

import base64
import dataclasses
from datetime import timedelta

from foureyes.github_app.sandbox.faults import ANSWER_FAULTS, DELIVERY_FAULTS, Fault
from foureyes.github_app.sandbox.state import Delivery, Json, World


def add_fault(world: World, body: Json) -> Json:
    return dataclasses.asdict(world.faults.add(Fault(**body)))


def list_faults(world: World, body: Json) -> Json:
    kinds = ANSWER_FAULTS | DELIVERY_FAULTS
    return {"kinds": kinds, "faults": [dataclasses.asdict(fault) for fault in world.faults.listed()]}


def clear_faults(world: World, body: Json) -> Json:
    world.faults.clear()
    return {}


def set_settings(world: World, body: Json) -> Json:
    """`merge_check`, `files_list`, `caps` and `clock` (seconds that the sandbox's time is ahead)."""
    if "merge_check" in body:
        world.merge_check = bool(body["merge_check"])
    if "clock" in body:
        world.clock_offset = timedelta(seconds=float(body["clock"]))
    if "files_list" in body:
        if body["files_list"] not in ("", "empty", "first", "renamed"):
            raise ValueError("files_list is empty, first, renamed or nothing")
        world.faults.files_list = str(body["files_list"])
    world.faults.caps |= {str(name): int(cap) for name, cap in body.get("caps", {}).items()}
    return {
        "merge_check": world.merge_check,
        "files_list": world.faults.files_list,
        "caps": world.faults.caps,
        "clock": world.clock_offset.total_seconds(),
    }


def delivery(of: Delivery) -> Json:
    return {
        "id": of.id,
        "guid": of.guid,
        "app": of.app.slug,
        "event": of.event,
        "action": of.action,
        "status": of.status,
        "status_code": of.status_code,
        "redelivery": of.redelivery,
        "headers": of.headers,
        "body": base64.b64encode(of.body).decode(),
    }


def list_deliveries(world: World, body: Json) -> list[Json]:
    return [delivery(d) for d in world.courier.log]


def release(world: World, body: Json) -> Json:
    return {"released": world.courier.release()}
