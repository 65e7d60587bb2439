"""Refuses a request body that GitHub's contract does not allow, as GitHub does: 422, with the field named.

Only what JSON Schema calls type, enum, required, maxLength and maxItems: enough to hold a caller to the contract
without a schema library at run time. The tests hold the same bodies to the whole contract.
"""

from typing import Any

from foureyes.github_app.sandbox import contract
from foureyes.github_app.sandbox.answers import Refusal

_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
}


def refuse_wrong(operation: contract.Operation, body: dict[str, Any]) -> None:
    """Raises Refusal with every problem of the body."""
    spec = contract.rest()["paths"][operation.template][operation.method.lower()]
    content = spec.get("requestBody", {}).get("content", {}).get("application/json")
    if content is None or (not body and not spec["requestBody"].get("required")):
        return
    problems = list(_problems(content["schema"], body, ""))
    if problems:
        raise Refusal(422, "Invalid request.\n\n" + "\n".join(problems))


def _problems(schema: dict[str, Any], value: Any, where: str) -> list[str]:
    if "$ref" in schema:
        return _problems(contract.resolve(contract.rest(), schema["$ref"][1:]), value, where)
    if value is None and schema.get("nullable"):
        return []
    for choice in ("oneOf", "anyOf"):
        if choice in schema and where:
            tried = [_problems(option, value, where) for option in schema[choice]]
            return min(tried, key=len)
    shown = f'"{where}"' if where else "The body"
    wanted = schema.get("type")
    if wanted in _TYPES and (
        not isinstance(value, _TYPES[wanted]) or (wanted in ("integer", "number") and isinstance(value, bool))
    ):
        return [f"{shown} is not {'an' if wanted[0] in 'aeio' else 'a'} {wanted}."]
    if "enum" in schema and value not in schema["enum"]:
        return [f"{shown}: {value!r} is not one of {', '.join(map(str, schema['enum']))}."]
    if isinstance(value, str) and len(value) > schema.get("maxLength", len(value)):
        return [f"{shown} has more than {schema['maxLength']} characters."]
    if isinstance(value, list):
        return _problems_of_list(schema, value, where)
    return _problems_of_object(schema, value, where) if isinstance(value, dict) else []


def _problems_of_list(schema: dict[str, Any], value: list[Any], where: str) -> list[str]:
    if len(value) > schema.get("maxItems", len(value)):
        return [f'"{where}" has more than {schema["maxItems"]} items.']
    found = []
    for index, item in enumerate(value):
        found += _problems(schema.get("items", {}), item, f"{where}[{index}]")
    return found


def _problems_of_object(schema: dict[str, Any], value: dict[str, Any], where: str) -> list[str]:
    prefix = f"{where}." if where else ""
    found = [
        f'"{prefix}{name}" was not supplied.' for name in schema.get("required", []) if name not in value
    ]
    for name, part in schema.get("properties", {}).items():
        if name in value:
            found += _problems(part, value[name], prefix + name)
    return found
