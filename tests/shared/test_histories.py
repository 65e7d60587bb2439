"""Properties 1 and 2 over whole histories: after every step the verdict is what a count by hand says, and those who were
counted are as many, and as independent of what really happened, as the policy asks for.

1,000 steps in a normal run; `make test-long` takes many more.
"""

from hypothesis import given, settings
from support_history import PEOPLE
from support_history_count import counted, guarded, is_safe, may_pass, needed, person, tied, unknown
from support_history_facts import known, policy
from support_history_steps import IS_LONG, play, scripts

from foureyes.shared.evaluate import evaluate
from foureyes.shared.verdict import Outcome


@given(scripts)
@settings(max_examples=20_000 if IS_LONG else 60)
def test_property_2_the_verdict_is_what_a_count_by_hand_says(script: bytes) -> None:
    for history in play(script):
        judgement = evaluate(known(history), policy(history.setting))
        case, passed = judgement.case, judgement.verdict.outcome is Outcome.PASS
        persons = {person(account.id) for account in case.approvals.counted}
        assert persons == counted(history) or not guarded(history), history
        assert {person(e.account.id) for e in case.excluded if e.account.id in PEOPLE} == tied(history), (
            history
        )
        assert len(case.unknown_people) == len(unknown(history)), history
        assert case.needed == needed(history), history
        assert passed == may_pass(history), history
        if passed:
            assert is_safe(history, {account.id for account in case.approvals.counted}), history
