"""The one error that a person is meant to read."""


class UserError(Exception):
    """Says what happened, why it matters and what to do next.

    `exit_code` is what a command ends with: 2 for wrong use, 1 for all else.
    """

    def __init__(self, what: str, *, why: str = "", next_step: str = "", exit_code: int = 1) -> None:
        super().__init__(what)
        self.what = what
        self.why = why
        self.next_step = next_step
        self.exit_code = exit_code

    def __str__(self) -> str:
        lines = [self.what]
        if self.why:
            lines.append(f"  why it matters: {self.why}")
        if self.next_step:
            lines.append(f"  what to do:     {self.next_step}")
        return "\n".join(lines)
