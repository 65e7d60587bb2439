"""A refusal as GitHub words it: status, message and, for wrong input, the fields at fault."""

from typing import Any


class Refusal(Exception):
    def __init__(self, status: int, message: str, *, errors: list[Any] | None = None, **more: object) -> None:
        super().__init__(message)
        self.status = status
        self.body: dict[str, Any] = {"message": message} | more
        if errors is not None:
            self.body["errors"] = errors
        self.body["documentation_url"] = "https://docs.github.com/rest"
        self.body["status"] = str(status)

    @classmethod
    def invalid(cls, resource: str, field: str, code: str = "invalid") -> "Refusal":
        errors = [{"resource": resource, "field": field, "code": code}]
        return cls(422, "Validation Failed", errors=errors)

    @classmethod
    def custom(cls, resource: str, message: str) -> "Refusal":
        errors = [{"resource": resource, "code": "custom", "message": message}]
        return cls(422, "Validation Failed", errors=errors)

    @classmethod
    def not_found(cls) -> "Refusal":
        return cls(404, "Not Found")
