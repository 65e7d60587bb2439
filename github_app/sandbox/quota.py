"""Rate limits as GitHub counts them: one bucket per token and resource, refilled every hour."""

from foureyes.github_app.sandbox.state import Json, World

LIMIT = 5000


def spend(world: World, who: str, resource: str, points: int) -> dict[str, str]:
    """Takes points from the caller's bucket; the headers that say what is left."""
    bucket = look(world, who, resource)
    bucket["used"] += points
    bucket["remaining"] = max(LIMIT - bucket["used"], 0)
    world.quota[(who, resource)] = (bucket["reset"], bucket["used"])
    return {f"X-RateLimit-{name.capitalize()}": str(value) for name, value in bucket.items()} | {
        "X-RateLimit-Resource": resource
    }


def look(world: World, who: str, resource: str) -> Json:
    now = int(world.time().timestamp())
    reset, used = world.quota.get((who, resource), (0, 0))
    if reset <= now:
        reset, used = now + 3600, 0
    return {"limit": LIMIT, "remaining": max(LIMIT - used, 0), "used": used, "reset": reset}
