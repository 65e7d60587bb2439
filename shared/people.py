"""Accounts as GitHub identifies them. A login is for show; only the numeric id is compared."""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """GitHub's GraphQL actor types (`__typename`). Only a USER can ever approve."""

    USER = "User"
    BOT = "Bot"
    ORGANIZATION = "Organization"
    MANNEQUIN = "Mannequin"
    ENTERPRISE_USER = "EnterpriseUserAccount"


@dataclass(frozen=True, order=True)
class Account:
    id: int
    login: str
    kind: Kind = Kind.USER

    @property
    def handle(self) -> str:
        """How a person is named in texts: `@olga`, `app[bot]`."""
        return f"@{self.login}" if self.kind is Kind.USER else self.login


@dataclass(frozen=True)
class Identity:
    """Name and address as written in a raw commit object: a claim, anyone can write anyone's."""

    name: str
    email: str
