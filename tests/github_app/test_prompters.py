"""Who set a bot to work: by GitHub's timeline, by comments, by what an earlier decision knew. In this process."""

from collections.abc import Callable
from importlib.resources import files
from itertools import count
from typing import Any

import pytest
from sqlalchemy import Engine
from support_facts import OLGA, PULL, RITA, SAM, facts, policy

from foureyes.github_app import decisions, prompters, storage
from foureyes.github_app.client import GitHubError
from foureyes.github_app.comments import Said, ask_comments
from foureyes.github_app.pull_query import MOST_PAGES, Ground, Happened, PullAnswer, Shown
from foureyes.shared.agents import parse_catalogue
from foureyes.shared.evaluate import evaluate
from foureyes.shared.facts import Fact, Involved, Known, Unknown
from foureyes.shared.people import Account, Kind

CATALOGUE = parse_catalogue((files("foureyes.shared") / "agents.json").read_text("utf-8"))
COPILOT = Account(198982749, "Copilot", Kind.BOT)
ROBOT = Account(77, "acme-robot[bot]", Kind.BOT)
AT = "2026-11-21T10:00:00Z"


def answer(
    *events: Happened, assignees: Fact[tuple[Account, ...]] | None = None, timeline: Fact[Any] | None = None
) -> PullAnswer:
    ground = Ground(PULL.repository, "main", PULL.base, None)
    return PullAnswer(
        ground, PULL, from_fork=False, head_repository=1, head_slug="acme/shop", github_merge="", commits=Known({}),
        reviews=Known(()), timeline=timeline or Known(events), assignees=assignees or Known(()), shown=Shown((), ()),
        requested=Known(()),
    )  # fmt: skip


def happened(kind: str, actor: Account | None, whose: str = "User") -> Happened:
    return Happened(kind, AT, actor, whose=whose)


@pytest.mark.parametrize("by_bot", [True, False])
def test_who_assigned_a_bot_set_it_to_work_whoever_opened_it(by_bot: bool) -> None:
    found = prompters.in_timeline(answer(happened("AssignedEvent", OLGA, "Bot")), by_bot=by_bot)
    assert found == Known((Involved(OLGA, "assigner"),))


def test_on_a_bots_pull_request_assigning_requesting_and_being_assigned_ties() -> None:
    given = answer(
        happened("AssignedEvent", OLGA), happened("ReviewRequestedEvent", RITA), happened("AssignedEvent", OLGA),
        happened("ReviewRequestRemovedEvent", SAM), happened("HeadRefForcePushedEvent", SAM),
        assignees=Known((SAM, ROBOT)),
    )  # fmt: skip
    assert prompters.in_timeline(given, by_bot=True) == Known(
        (Involved(OLGA, "assigner"), Involved(RITA, "requester"), Involved(SAM, "assignee"))
    )


def test_on_a_persons_pull_request_none_of_that_does() -> None:
    given = answer(
        happened("AssignedEvent", OLGA), happened("ReviewRequestedEvent", RITA), assignees=Known((SAM,))
    )
    assert prompters.in_timeline(given, by_bot=False) == Known(())


def test_a_request_that_the_app_itself_made_ties_nobody() -> None:
    given = answer(happened("ReviewRequestedEvent", ROBOT), happened("ReviewRequestedEvent", None))
    assert prompters.in_timeline(given, by_bot=True) == Known(())


def test_what_could_not_be_read_stays_unknown() -> None:
    assert prompters.in_timeline(answer(timeline=Unknown("cut")), by_bot=True) == Unknown("cut")
    assert prompters.in_timeline(answer(assignees=Unknown("cut")), by_bot=True) == Unknown("cut")


NUMBERS = count()


class Talk:
    """GitHub's comments, a page at a time; `reviews` are all on one."""

    def __init__(
        self,
        *pages: list[dict[str, Any]],
        total: int | None = None,
        reviews: list[dict[str, Any]] | None = None,
    ) -> None:
        self.pages = list(pages)
        self.total = sum(map(len, pages)) if total is None else total
        self.reviews = reviews or []
        self.asked: list[Any] = []

    def graphql(self, query: str, variables: dict[str, Any]) -> Any:
        if "query Remarks" in query:
            info = {"hasNextPage": False, "endCursor": None}
            listed = {"totalCount": len(self.reviews), "pageInfo": info, "nodes": self.reviews}
            return {"repository": {"pullRequest": {"reviews": listed}}}
        number = len(self.asked)
        self.asked.append(variables["after"])
        more = number + 1 < len(self.pages)
        info = {"hasNextPage": more, "endCursor": f"c{number}" if more else None}
        page = {"totalCount": self.total, "pageInfo": info, "nodes": self.pages[number]}
        return {"repository": {"pullRequest": {"comments": page}}}


def said(who: Account | None, text: str) -> dict[str, Any]:
    author = who and {"__typename": who.kind.value, "login": who.login, "databaseId": who.id}
    return {"id": f"C{next(NUMBERS)}", "body": text, "author": author}


def reviewed(who: Account | None, text: str, *beside: str, total: int | None = None) -> dict[str, Any]:
    listed = [{"body": one} for one in beside]
    comments = {"totalCount": len(listed) if total is None else total, "nodes": listed}
    return {**said(who, text), "comments": comments}


def mentioned(
    *comments: dict[str, Any],
    bots: tuple[Account, ...] = (COPILOT,),
    reviews: list[dict[str, Any]] | None = None,
) -> list[str]:
    talk = Talk(list(comments), reviews=reviews)
    found = prompters.by_mention(talk, answer(), bots, CATALOGUE)  # type: ignore[arg-type]
    assert all(one.role == "prompter" for one in found)
    return [one.account.login for one in found]


@pytest.mark.parametrize(
    "text",
    ["@copilot please", "ok\n@Copilot: again", "(@COPILOT)", "thanks, @copilot.", "> quoted @copilot"],
)
def test_a_mention_by_any_spelling_of_the_handle(text: str) -> None:
    assert mentioned(said(OLGA, text)) == ["olga"]


@pytest.mark.parametrize(
    "text",
    ["copilot, please", "mail me@copilot.example", "@copilots", "x/@copilot", "@@copilot", "@co-pilot", ""],
)
def test_what_is_no_mention(text: str) -> None:
    assert mentioned(said(OLGA, text)) == []


def test_each_person_once_and_no_bots_and_nobody_who_is_gone() -> None:
    talk = [
        said(OLGA, "@copilot a"),
        said(OLGA, "@copilot b"),
        said(ROBOT, "@copilot c"),
        said(None, "@copilot d"),
    ]
    assert mentioned(*talk) == ["olga"]


def test_a_bot_that_is_no_agent_has_its_own_handles() -> None:
    assert mentioned(said(RITA, "@acme-robot go"), bots=(ROBOT,)) == ["rita"]
    assert mentioned(said(RITA, "@copilot go"), bots=(ROBOT,)) == []


def test_G52_what_a_review_says_and_what_it_says_beside_lines() -> None:
    given = [
        reviewed(OLGA, "@copilot please"),
        reviewed(RITA, "", "fine", "@copilot: narrower"),
        reviewed(SAM, "ok", "not you, copilot"),
        reviewed(ROBOT, "@copilot", "one", total=300),
        reviewed(None, "@copilot", "one", total=300),
    ]
    assert mentioned(said(SAM, "hello"), reviews=given) == ["olga", "rita"]


def test_a_review_that_is_not_all_there_is_an_error() -> None:
    with pytest.raises(GitHubError, match="GitHub lists 1 of 2 comments of a review"):
        mentioned(reviews=[reviewed(RITA, "", "fine", total=2)])


def test_comments_are_read_to_the_last_page() -> None:
    talk = Talk([said(OLGA, "one")], [said(RITA, "two")])
    assert ask_comments(talk, "acme/shop", 412) == (Said(OLGA, "one"), Said(RITA, "two"))  # type: ignore[arg-type]
    assert talk.asked == [None, "c0"]


BROKEN: dict[str, Callable[[], Talk]] = {
    "fewer than it says": lambda: Talk([said(OLGA, "one")], total=2),
    "pages without end": lambda: Talk(*[[said(OLGA, "x")]] * (MOST_PAGES + 1)),
    "a comment of another form": lambda: Talk([{"text": "one"}]),
}


@pytest.mark.parametrize("how", BROKEN)
def test_comments_that_are_not_all_there_are_an_error(how: str) -> None:
    with pytest.raises(GitHubError):
        ask_comments(BROKEN[how](), "acme/shop", 412)  # type: ignore[arg-type]


def test_whom_the_newest_decision_knew_is_still_known(sqlite_engine: Engine) -> None:
    def decided(at: int, involved: Fact[tuple[Involved, ...]]) -> decisions.Decision:
        given = facts(involved=involved)
        verdict = evaluate(given, policy()).verdict
        return decisions.decide(given, verdict, policy="", policy_oid="", evaluator="x", title="", at=at)

    def before() -> tuple[Involved, ...]:
        with storage.reading(sqlite_engine) as conn:
            return prompters.seen_before(conn, PULL.repository.id, PULL.number)

    def store(made: decisions.Decision) -> None:
        with storage.writing(sqlite_engine) as conn:
            decisions.store(conn, made)

    assert before() == ()
    steered = (Involved(OLGA, "prompter"),)
    store(decided(1, steered))  # type: ignore[arg-type]
    assert before() == steered
    store(decided(2, Unknown("cut")))
    assert before() == steered, "that it could not be read once does not make it forgotten"
    other = decided(3, (Involved(RITA, "prompter"),))  # type: ignore[arg-type]
    store(decisions.from_json({**decisions.to_json(other), "facts": "{}"}))
    assert before() == steered
    store(decided(4, ()))  # type: ignore[arg-type]
    assert before() == ()
