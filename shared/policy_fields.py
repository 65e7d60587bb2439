"""The texts and numbers of a policy file, each with its check. A refusal carries a hint."""

import re
from typing import Annotated, Any, Literal, NoReturn

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from foureyes.shared.pattern_class import PatternProblem
from foureyes.shared.pattern_text import parse

_LOGIN = r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}"
_HANDLE = rf"@{_LOGIN}(/[A-Za-z0-9][A-Za-z0-9._-]{{0,99}})?"
_SYSTEM_NAME = r"[a-z0-9][a-z0-9_-]{0,63}"


def refuse(message: str, hint: str) -> NoReturn:
    raise PydanticCustomError("policy", "{message}", {"message": message, "hint": hint})


def _version(value: Any) -> Any:
    if type(value) is not int or value != 1:
        refuse("the version must be 1", "write `version: 1`; this foureyes reads no other")
    return value


def _pattern(line: str) -> str:
    try:
        parse(line)
    except PatternProblem as problem:
        refuse(str(problem), problem.hint)
    return line


def _branch(line: str) -> str:
    if line.removeprefix("!").startswith("refs/"):
        refuse("a branch is named without refs/heads/", f"write `{line.replace('refs/heads/', '')}`")
    return _pattern(line)


def _login(text: str) -> str:
    if text.startswith("@"):
        refuse(f"`{text}` begins with @", f"logins stand here as they are: {text[1:]}")
    if not re.fullmatch(_LOGIN, text):
        refuse(f"`{text[:60]}` is not a login", "letters, digits, hyphens")
    return text


def _actor(text: str) -> str:
    _login(text.removesuffix("[bot]"))
    return text


def _handle(text: str) -> str:
    if text.endswith("[bot]"):
        refuse(f"`{text[:60]}` is an App, and an App never approves", "name people and teams")
    if re.fullmatch(_LOGIN, text):
        refuse(f"`{text}` does not begin with @", f'write "@{text}" for a person, "@org/{text}" for a team')
    if not re.fullmatch(_HANDLE, text):
        refuse(f"`{text[:60]}` is neither a person nor a team", 'write "@login" or "@org/team"')
    return text


def _system_name(text: str) -> str:
    if not re.fullmatch(_SYSTEM_NAME, text):
        refuse(
            f"`{text[:80]}` is not a name",
            "small letters, digits, - and _, at most 64, a letter or digit first",
        )
    return text


def _file_tier(number: int) -> int:
    if number not in (0, 1, 2):
        refuse(
            f"the counts of tier {number} cannot be set",
            "tiers 0, 1 and 2 have counts; at tier 3 nobody waits",
        )
    return number


Mode = Literal["observe", "enforce", "forbid"]
Stale = Literal["change", "protected", "head"]
TrailerStyle = Literal["assisted-by", "co-authored-by", "generated-by", "none"]
Version = Annotated[Literal[1], BeforeValidator(_version)]
Count = Annotated[int, Field(ge=0, le=20)]
TierNumber = Annotated[int, Field(ge=0, le=3)]
FileTierNumber = Annotated[int, AfterValidator(_file_tier)]
Approvals = Annotated[int, Field(ge=1, le=20)]
AppId = Annotated[int, Field(ge=1)]
PathPattern = Annotated[
    str, AfterValidator(_pattern), Field(json_schema_extra={"minLength": 1, "maxLength": 1024})
]
BranchPattern = Annotated[
    str, AfterValidator(_branch), Field(json_schema_extra={"minLength": 1, "maxLength": 1024})
]
Login = Annotated[str, AfterValidator(_login), Field(json_schema_extra={"pattern": f"^{_LOGIN}$"})]
Actor = Annotated[str, AfterValidator(_actor)]
Handle = Annotated[str, AfterValidator(_handle), Field(json_schema_extra={"pattern": f"^{_HANDLE}$"})]
SystemName = Annotated[
    str, AfterValidator(_system_name), Field(json_schema_extra={"pattern": f"^{_SYSTEM_NAME}$"})
]
