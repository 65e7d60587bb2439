"""What people do to a pull request, with GitHub's own conditions and refusals."""

from collections.abc import Sequence

from foureyes.github_app.sandbox import pushes, webhooks
from foureyes.github_app.sandbox.access import association, at_least, can_push
from foureyes.github_app.sandbox.answers import Refusal
from foureyes.github_app.sandbox.repositories import ZERO, Signature
from foureyes.github_app.sandbox.rulesets import missing_checks
from foureyes.github_app.sandbox.shapes import account
from foureyes.github_app.sandbox.state import Comment, Pull, Repository, Review, Team, User, World

_REVIEW_STATES = {"APPROVE": "APPROVED", "REQUEST_CHANGES": "CHANGES_REQUESTED", "COMMENT": "COMMENTED"}


def open_pull(
    world: World,
    repository: Repository,
    author: User,
    *,
    head_repository: Repository,
    head_ref: str,
    base_ref: str,
    title: str,
    body: str | None,
    draft: bool = False,
    maintainer_can_modify: bool = False,
) -> Pull:
    head, base = head_repository.git.branch(head_ref), repository.git.branch(base_ref)
    if head is None or base is None:
        raise Refusal.invalid("PullRequest", "base" if base is None else "head")
    if any(
        p.is_open and (p.head_repository, p.head_ref, p.base_ref) == (head_repository, head_ref, base_ref)
        for p in repository.pulls.values()
    ):
        label = f"{head_repository.owner.login}:{head_ref}"
        raise Refusal.custom("PullRequest", f"A pull request already exists for {label}.")
    if head_repository is not repository:
        repository.git.fetch(head_repository.git, head)
    if repository.git.is_ancestor(head, base):
        raise Refusal.custom("PullRequest", f"No commits between {base_ref} and {head_ref}")
    now = world.now()
    number = repository.next_number
    pull = Pull(
        id=world.next_id(),
        number=number,
        repository=repository,
        head_repository=head_repository,
        author=author,
        title=title,
        body=body,
        head_ref=head_ref,
        head=head,
        base_ref=base_ref,
        base=base,
        created_at=now,
        updated_at=now,
        draft=draft,
        maintainer_can_modify=maintainer_can_modify,
    )
    repository.pulls[number] = pull
    pushes.bring_head(world, pull, head)
    pushes.try_merge(world, pull)
    webhooks.pull_request(world, "opened", pull, author)
    return pull


def edit(
    world: World, pull: Pull, actor: User, *, title: str | None, body: str | None, base: str | None
) -> None:
    """Title, text and base. A new base changes what is merged, so GitHub makes the test merge anew."""
    changes: dict[str, object] = {}
    if title is not None and title != pull.title:
        changes["title"] = {"from": pull.title}
        pull.title = title
    if body is not None and body != pull.body:
        changes["body"] = {"from": pull.body or ""}
        pull.body = body
    if base is not None and base != pull.base_ref:
        changes["base"] = _retarget(world, pull, actor, base)
    if changes:
        pull.updated_at = world.now()
        webhooks.pull_request(world, "edited", pull, actor, changes=changes)


def _retarget(world: World, pull: Pull, actor: User, base: str) -> dict[str, object]:
    tip = pull.repository.git.branch(base)
    if tip is None or not pull.is_open:
        raise Refusal.invalid("PullRequest", "base")
    old_ref, old_base = pull.base_ref, pull.base
    pull.base_ref, pull.base = base, tip
    pushes.note(world, pull, "BaseRefChangedEvent", actor, previous_ref_name=old_ref, current_ref_name=base)
    pushes.try_merge(world, pull)
    return {"ref": {"from": old_ref}, "sha": {"from": old_base}}


def set_state(world: World, pull: Pull, actor: User, state: str) -> None:
    if state == pull.state:
        return
    if state == "closed":
        pushes.close(world, pull, actor)
        return
    branch = pull.head_repository.git.branch(pull.head_ref) if pull.head_repository else None
    if pull.merged_at or branch is None:
        raise Refusal.invalid("PullRequest", "state")
    pull.state, pull.closed_at = "open", None
    pushes.bring_head(world, pull, branch)
    pushes.try_merge(world, pull)
    pushes.note(world, pull, "ReopenedEvent", actor)
    webhooks.pull_request(world, "reopened", pull, actor)


def set_draft(world: World, pull: Pull, actor: User, draft: bool) -> None:
    if draft == pull.draft:
        return
    pull.draft = draft
    pushes.note(world, pull, "ConvertToDraftEvent" if draft else "ReadyForReviewEvent", actor)
    webhooks.pull_request(world, "converted_to_draft" if draft else "ready_for_review", pull, actor)


def submit_review(
    world: World,
    pull: Pull,
    author: User,
    *,
    event: str | None,
    body: str,
    commit_id: str | None,
    beside: Sequence[str] = (),
) -> Review:
    """Anyone who can read may review; nobody may approve what they opened themselves. `beside`: comments on lines."""
    if event is not None and event not in _REVIEW_STATES:
        raise Refusal(422, "Unprocessable Entity", errors=["No such event"])
    if event in ("APPROVE", "REQUEST_CHANGES") and author is pull.author:
        verb = "approve" if event == "APPROVE" else "request changes on"
        raise Refusal(422, "Unprocessable Entity", errors=[f"Can not {verb} your own pull request"])
    if event in ("COMMENT", "REQUEST_CHANGES") and not body:
        raise Refusal(422, "Unprocessable Entity", errors=["Body can't be blank"])
    if commit_id is not None and not pull.repository.git.commit_id(commit_id):
        raise Refusal(422, "Unprocessable Entity", errors=["No such commit"])
    review = Review(world.next_id(), pull, author, "PENDING", body, commit_id or pull.head, None)
    review.comments += [Comment(world.next_id(), author, text, world.now()) for text in beside]
    pull.reviews.append(review)
    if event is not None:
        review.state, review.submitted_at = _REVIEW_STATES[event], world.now()
        pull.updated_at = review.submitted_at
        pull.requested_reviewers = [user for user in pull.requested_reviewers if user is not author]
        webhooks.pull_request_review(world, "submitted", review, author)
    return review


def dismiss_review(world: World, review: Review, actor: User, message: str) -> None:
    pull = review.pull
    if not can_push(world, pull.repository, actor):
        raise Refusal(403, "Must have write access to the repository")
    if review.state not in ("APPROVED", "CHANGES_REQUESTED"):
        raise Refusal(422, "Unprocessable Entity", errors=["Can not dismiss a review of this state"])
    before, review.state = review.state, "DISMISSED"
    pushes.note(
        world,
        pull,
        "ReviewDismissedEvent",
        actor,
        review=review,
        previous_review_state=before,
        dismissal_message=message,
        dismissal_commit=review.commit_id,
    )
    webhooks.pull_request_review(world, "dismissed", review, actor)


def assign(world: World, pull: Pull, actor: User, users: list[User], *, remove: bool = False) -> None:
    for user in users:
        if (user in pull.assignees) is not remove:
            continue
        if remove:
            pull.assignees.remove(user)
        else:
            pull.assignees.append(user)
        kind = "UnassignedEvent" if remove else "AssignedEvent"
        pushes.note(world, pull, kind, actor, assignee=user)
        action = "unassigned" if remove else "assigned"
        webhooks.pull_request(world, action, pull, actor, assignee=account(world, user))


def request_reviewers(
    world: World, pull: Pull, actor: User, users: list[User], teams: list[Team], *, remove: bool = False
) -> None:
    everyone: list[User | Team] = [*users, *teams]
    for wanted in everyone:
        asked: list[User] | list[Team]
        asked = pull.requested_reviewers if isinstance(wanted, User) else pull.requested_teams
        if wanted is pull.author:
            message = "Review cannot be requested from pull request author."
            raise Refusal(422, message)
        if isinstance(wanted, User) and association(pull.repository, wanted) == "NONE":
            raise Refusal(422, "Reviews may only be requested from collaborators.")
        if (wanted in asked) is not remove:
            continue
        (asked.remove if remove else asked.append)(wanted)  # type: ignore[arg-type]
        kind = "ReviewRequestRemovedEvent" if remove else "ReviewRequestedEvent"
        pushes.note(world, pull, kind, actor, requested_reviewer=wanted)
        action = "review_request_removed" if remove else "review_requested"
        webhooks.review_request(world, action, pull, actor, wanted)


def merge(
    world: World, pull: Pull, actor: User, *, method: str, sha: str | None, message: str | None = None
) -> str:
    """The merge button. Refuses with 405 while a required check has not let the head in."""
    if not can_push(world, pull.repository, actor):
        raise Refusal(403, "Must have write access to the repository")
    if sha is not None and sha != pull.head:
        raise Refusal(409, "Head branch was modified. Review and try the merge again.")
    if method not in ("merge", "squash"):
        raise Refusal(405, "Rebase merges are not allowed on this repository.")
    if not pull.is_open or pull.draft or not pull.mergeable:
        raise Refusal(405, "Pull Request is not mergeable")
    reasons = missing_checks(world, pull, actor)
    if reasons:
        raise Refusal(405, "Repository rule violations found\n\n" + "\n".join(reasons))
    git = pull.repository.git
    base = git.branch(pull.base_ref) or ZERO
    tree = git.merge_tree(base, pull.head)
    if tree is None:
        raise Refusal(405, "Pull Request is not mergeable")
    parents = [base, pull.head] if method == "merge" else [base]
    default = f"Merge pull request #{pull.number} from {pull.repository.owner.login}/{pull.head_ref}"
    subject = default if method == "merge" else f"{pull.title} (#{pull.number})"
    text = message or f"{subject}\n\n{pull.title if method == 'merge' else pull.body or ''}".rstrip()
    who = _person(world, actor)
    commit = git.commit_tree(tree, parents, text + "\n", who, pushes.github_signature(world))
    pull.repository.made_by_github.add(commit)
    git.update_ref(f"refs/heads/{pull.base_ref}", commit, base)
    pushes.mark_merged(world, pull, actor, commit)
    change = pushes.RefChange(f"refs/heads/{pull.base_ref}", base, commit)
    pushes.follow(world, pull.repository, actor, [change], "pr_merge")
    return commit


def update_branch(world: World, pull: Pull, actor: User, expected: str | None) -> None:
    """*Update branch*: GitHub merges the base tip into the head, in the name of who clicked."""
    home = pull.head_repository
    if home is None or not (can_push(world, home, actor) or _maintains(pull, actor)):
        raise Refusal(403, "Must have write access to the head branch")
    if expected is not None and expected != pull.head:
        raise Refusal(422, "expected head sha didn't match current head ref.")
    if not pull.is_open:
        raise Refusal(422, "The pull request is not open.")
    git = pull.repository.git
    base = git.branch(pull.base_ref)
    if base is None or git.is_ancestor(base, pull.head):
        raise Refusal(422, "There are no new commits on the base branch.")
    tree = git.merge_tree(pull.head, base)
    if tree is None:
        raise Refusal(422, "merge conflict between base and head")
    message = f"Merge branch '{pull.base_ref}' into {pull.head_ref}\n"
    who = _person(world, actor)
    commit = git.commit_tree(tree, [pull.head, base], message, who, pushes.github_signature(world))
    if home is not pull.repository:
        home.git.fetch(git, commit)
    home.made_by_github.add(commit)
    pull.repository.made_by_github.add(commit)
    ref = f"refs/heads/{pull.head_ref}"
    old = pull.head
    home.git.update_ref(ref, commit, old)
    pushes.follow(world, home, actor, [pushes.RefChange(ref, old, commit)])


def _maintains(pull: Pull, actor: User) -> bool:
    return pull.maintainer_can_modify and at_least(pull.repository, actor, "write")


def _person(world: World, user: User) -> Signature:
    email = user.emails[0] if user.emails else f"{user.id}+{user.login}@users.noreply.github.com"
    return Signature(user.name or user.login, email, world.now())
