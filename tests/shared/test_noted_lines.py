"""What other tools' notes say about lines: an agent more, never one less."""

from foureyes.shared.git_ai_note import NotedAgent, NotedLines
from foureyes.shared.noted_lines import add_noted
from foureyes.shared.record import Contributor

IDS = {"cursor": "cursor"}


def noted(first: int, last: int, path: str = "f", tool: str = "cursor") -> NotedLines:
    return NotedLines(path, first, last, NotedAgent(tool, "gpt-5"))


def test_noted_lines_become_the_agents() -> None:
    parts = (Contributor("f", "added", 3, 5, "human", evidence="journal", confidence="low"),)
    found = add_noted(parts, (noted(4, 5), noted(7, 99)), IDS)
    assert [(part.start, part.count, part.cls) for part in found] == [
        (3, 1, "human"),
        (4, 2, "ai"),
        (6, 1, "human"),
        (7, 1, "ai"),
    ]
    assert found[1] == Contributor("f", "added", 4, 2, "ai", "cursor", "", "gpt-5", "", "note", "low")


def test_all_else_stays() -> None:
    parts = (
        Contributor("f", "added", 1, 2, "ai", "claude-code", evidence="agent-hook", confidence="high"),
        Contributor("f", "removed", 1, 2, "unknown"),
        Contributor("g", "added", 1, 2, "unknown"),
        Contributor("f", "added", 0, 0, "unknown"),
        Contributor("f", "added", 9, 1, "unknown"),
    )
    assert add_noted(parts, (noted(1, 5),), IDS) == parts
    assert add_noted(parts, (), IDS) == parts


def test_an_unknown_tool_is_an_agent_without_a_name() -> None:
    (found,) = add_noted((Contributor("f", "added", 1, 1, "unknown"),), (noted(1, 1, tool="x"),), IDS)
    assert (found.cls, found.agent) == ("ai", "")
