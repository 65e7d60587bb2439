"""What the types refuse, told in our own words: the types' own speak of Python."""

from difflib import get_close_matches

from pydantic_core import ErrorDetails

from foureyes.shared.policy_problem import Place, dotted

_WANTED = {
    "string_type": ("a text", "put it in quotes"),
    "int_type": ("a whole number", "write it without quotes"),
    "bool_type": ("true or false", "write it without quotes"),
    "tuple_type": ("a list", 'write ["..."], or one - to a line'),
    "dict_type": ("names, each with its own keys", "write `name: {...}`, or the keys on lines of their own"),
    "model_type": ("keys with values", "write {key: value}, or the keys on lines of their own"),
    "date_type": ("a day", "write it like 2027-06-30, without quotes"),
}


def words(error: ErrorDetails, place: Place) -> tuple[str, str]:
    """Message and hint."""
    kind, context, name = error["type"], error.get("ctx", {}), f"`{dotted(place)}`"
    if kind == "policy":
        return f"{name}: {context['message']}" if len(place) > 1 else str(context["message"]), str(
            context["hint"]
        )
    if kind in _WANTED:
        wanted, hint = _WANTED[kind]
        return f"{name} must be {wanted}, and is {_shown(error['input'])}", hint
    if kind == "literal_error":
        allowed = [part.strip("' ") for part in str(context["expected"]).replace(" or ", ", ").split(",")]
        close = get_close_matches(str(error["input"]), allowed, n=1)
        hint = f"did you mean `{close[0]}`?" if close else f"choose one of {', '.join(allowed)}"
        return f"{name} must be one of {', '.join(allowed)}, and is {_shown(error['input'])}", hint
    if kind == "greater_than_equal":
        return f"{name} is {error['input']}, and must be at least {context['ge']}", ""
    if kind == "less_than_equal":
        return f"{name} is {error['input']}, and must be at most {context['le']}", ""
    return f"{name}: {error['msg']}", ""


def _shown(value: object) -> str:
    match value:
        case None:
            return "empty"
        case bool():
            return str(value).lower()
        case dict():
            return "a mapping"
        case tuple():
            return "a list"
        case str():
            return f'the text "{" ".join(value.split())[:40]}"'
        case _:
            return str(value)[:40]
