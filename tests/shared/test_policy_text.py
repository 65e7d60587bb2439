"""The policy file: what it means, and everything that is wrong with it, at once and in its place."""

import re
from datetime import date

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from support_policy import FULL, SHORT

from foureyes.shared.policy import DEFAULT_TIERS, Automation, Policy, System
from foureyes.shared.policy_around import Around
from foureyes.shared.policy_text import PolicyError, Problem, parse_policy, read_policy


def problems(text: str) -> list[Problem]:
    with pytest.raises(PolicyError) as refused:
        parse_policy(text)
    found = list(refused.value.problems)
    assert found == sorted(found)
    return found


def said(text: str) -> str:
    """All problems as one text, for looking for a part of it."""
    return "\n".join(map(str, problems(text)))


def test_the_shortest_policy() -> None:
    policy = parse_policy(SHORT)
    assert policy.roster == ("@acme/engineers",)
    assert policy.systems == {"protected": System(paths=("infra/**",), tier=1)}
    assert policy.tiers == DEFAULT_TIERS
    assert (policy.mode, policy.branches, policy.automation) == ("enforce", (), {})


def test_the_full_policy() -> None:
    policy = parse_policy(FULL)
    assert policy.branches == ("main", "release/*")
    assert policy.aliases == {"olga": ("olga-work",)}
    assert policy.systems["payments"] == System(
        paths=("services/payments/**",), tier=0, owners=("@acme/payments-oncall",)
    )
    assert policy.systems["docs"].tier == 3
    assert policy.tiers == DEFAULT_TIERS
    assert policy.automation == {
        "renovate": Automation(
            app=2740, paths=("**/package-lock.json",), approvals=1, owner="@lee", until=date(2027, 6, 30)
        )
    }


@pytest.mark.parametrize("text", [SHORT, FULL])
def test_a_policy_survives_being_stored(text: str) -> None:
    policy = parse_policy(text)
    assert Policy.model_validate_json(policy.model_dump_json()) == policy


def test_both_forms_together() -> None:
    policy = parse_policy(SHORT + "systems: {docs: {paths: [docs/**], tier: 3}}\n")
    assert set(policy.systems) == {"protected", "docs"}


@pytest.mark.parametrize(
    ("tiers", "number", "changed"),
    [
        ("1: {ai: 3, unattested: 3}", 1, {"ai": 3, "unattested": 3}),
        ("1: {stale: head}", 1, {"stale": "head"}),
        ("0: {owner: false}", 0, {"owner": False}),
        ("2: {human: 1}", 2, {"human": 1}),
        ("2: {}", 2, {}),
    ],
)
def test_a_tier_changes_only_what_is_named(tiers: str, number: int, changed: dict[str, object]) -> None:
    policy = parse_policy(f"{SHORT}tiers: {{{tiers}}}\n")
    assert policy.tiers == DEFAULT_TIERS | {number: DEFAULT_TIERS[number].model_copy(update=changed)}


def test_every_problem_is_told_at_once() -> None:
    text = """\
version: 2
rooster: [acme]
mode: on
protected: infra/**
systems:
  Infra: {paths: [], teir: 1}
  x: {paths: ["[a", "!b"], tier: 7, owners: ["lee"]}
tiers: {1: {ai: 1}, 3: {ai: 2}, 0: {stale: chnage, ai: yes}}
automation: {r: {app: "3", paths: ["x"], until: "2027-06-30"}}
squash_only: "true"
"""
    assert [(p.line, p.column) for p in problems(text)] == [
        (1, 1), (1, 10), (2, 1), (3, 7), (4, 12), (6, 3), (6, 22), (7, 15), (7, 34), (7, 46), (8, 17), (8, 21),
        (8, 44), (8, 56), (9, 14), (9, 23), (9, 49), (10, 14),
    ]  # fmt: skip
    assert all(p.hint for p in problems(text) if "at most" not in p.message)


CASES = [
    ("rooster: []\n", "`rooster` is not known (did you mean `roster`?)"),
    ("zzz: 1\n", "known here: version"),
    ("systems: {x: {path: [a]}}\n", "`path` is not known in `systems.x` (did you mean `paths`?)"),
    ("systems: {x: {tier: 1}}\n", "`paths` is missing in `systems.x`"),
    ("systems: {x: [a]}\n", "`systems.x` must be keys with values, and is a list"),
    ("systems: {X: {paths: [a]}}\n", "`X` is not a name"),
    ("systems: {2024: {paths: [a]}}\n", "put it in quotes"),
    ("systems: {x: {paths: []}}\n", "no path is named here"),
    ('systems: {x: {paths: ["!a"]}}\n', "no path is named here"),
    ("systems: {x: {paths: [a/**/]}}\n", "trailing `**/`"),
    ("systems: {x: {paths: [7]}}\n", "`systems.x.paths[0]` must be a text, and is 7"),
    ("systems: {x: {paths: [a], tier: -1}}\n", "at least 0"),
    ("systems: {x: {paths: [a], tier: true}}\n", "must be a whole number, and is true"),
    ("systems: {x: {paths: [a], tier: 0}}\n", "tier 0 asks for an owner, and `x` names none"),
    ("systems: {protected: {paths: [a]}}\n", "the name of the short form's system"),
    ("systems: 3\n", "`systems` must be names"),
    ("tiers: {1: {human: 3}}\n", "human ≤ ai ≤ unattested"),
    ("tiers: {1: {ai: 3}}\n", "human ≤ ai ≤ unattested"),
    ("tiers: {0: {ai: 1}}\n", "never fewer than two humans"),
    ("tiers: {1: {ai: 1, unattested: 1}}\n", "never fewer than two humans"),
    ("tiers: {1: {unattested: 1, ai: 1, human: 0}}\n", "never fewer than two humans"),
    ("tiers: {3: {ai: 1}}\n", "at tier 3 nobody waits"),
    ("tiers: {4: {ai: 1}}\n", "the counts of tier 4 cannot be set"),
    ("tiers: {1: {ai: 21, unattested: 21}}\n", "at most 20"),
    ("tiers: {1: {ai: null}}\n", "must be a whole number, and is empty"),
    ('tiers: {"1": {human: 0}}\n', "write it without quotes"),
    ("mode: enfroce\n", "did you mean `enforce`?"),
    ("mode: zzz\n", "choose one of observe, enforce, forbid"),
    ("branches: []\n", "leave `branches` out"),
    ('branches: ["!main"]\n', "no branch is named"),
    ("branches: [refs/heads/main]\n", "write `main`"),
    ("branches: [2027-06-30]\n", "put it in quotes"),
    ("branches: main\n", "`branches` must be a list"),
    ('machine_users: ["@bot"]\n', "begins with @"),
    ('machine_users: ["a b"]\n', "not a login"),
    ("aliases: {a: [a]}\n", "stands here twice"),
    ("aliases: {a: [B, b]}\n", "stands here twice"),
    ("aliases: {a: [b], c: [b]}\n", "already an alias of a"),
    ("aliases: {a: [b], b: [c]}\n", "already an alias of a"),
    ("aliases: {a: []}\n", "no other login"),
    (
        "aliases: {a: [b], b: [a]}\n",
        "b is already an alias of a (write all logins of one person in one line)",
    ),
    ('aliases: {"@a": [b]}\n', "begins with @"),
    ('automation: {r: {app: 1, paths: [a], owner: "@a"}}\n', "`until` is missing"),
    ('automation: {r: {app: 0, paths: [a], owner: "@a", until: 2027-01-01}}\n', "at least 1"),
    ('automation: {r: {app: 1, paths: [], owner: "@a", until: 2027-01-01}}\n', "no path is named"),
    ('automation: {r: {app: 1, paths: [a], owner: "@a", until: 2027-01-01, approvals: 0}}\n', "at least 1"),
    ('automation: {r: {app: 1, paths: [a], owner: "@a", until: 2027-02-30}}\n', "there is no day"),
    ('automation: {r: {app: 1, paths: [a], owner: "@a", until: soon}}\n', "must be a day"),
    ("trust_software_keys: 1\n", "true or false"),
    ("trailers: signed-off-by\n", "choose one of"),
    ("version: 1\n", "stands here twice"),
]


@pytest.mark.parametrize(("line", "expected"), CASES)
def test_one_thing_wrong(line: str, expected: str) -> None:
    found = problems(SHORT + line)
    assert any(expected in str(p) for p in found), found
    assert len(found) <= 2
    assert all(p.line == 4 for p in found)


@pytest.mark.parametrize(
    ("roster", "expected"),
    [
        ("[]", "the roster is empty"),
        ("", "`roster` must be a list, and is empty"),
        ("[acme]", 'write "@acme" for a person'),
        ('["@acme/"]', "neither a person nor a team"),
        ('["@a/b/c"]', "neither a person nor a team"),
        ('["renovate[bot]"]', "an App never approves"),
        ("[@acme/engineers]", "needs quotes"),
        ('["@olga"]', "the roster has 1 person, and tier 0 asks for 2"),
    ],
)
def test_a_roster_that_cannot_work(roster: str, expected: str) -> None:
    assert expected in said(f"version: 1\nroster: {roster}\nprotected: [infra/**]\n")


def test_aliases_and_machine_users_are_not_counted_as_people() -> None:
    text = 'version: 1\nroster: ["@a", "@A-work", "@m", "@b"]\nprotected: [x]\n'
    assert parse_policy(text)
    assert "the roster has 1 person" in said(text + "aliases: {a: [a-work, b]}\nmachine_users: [M]\n")
    assert "never approve" in said(text + "machine_users: [M]\n")


def test_g47_a_roster_that_the_operator_makes_too_small_is_warned_of() -> None:
    (warning,) = read_policy('version: 1\nroster: ["@a", "@b"]\nprotected: [x]\n').warnings
    assert "the roster has 2 people, and tier 0 asks for 2" in warning.message
    assert (warning.line, warning.column) == (2, 9)
    assert read_policy('version: 1\nroster: ["@a", "@b", "@c"]\nprotected: [x]\n').warnings == ()


def test_an_owner_must_be_able_to_count() -> None:
    text = 'version: 1\nroster: [{}]\nsystems: {{p: {{paths: [x], tier: 0, owners: ["@lee"]}}}}\n'
    assert "no owner of `p` is on the roster" in said(text.format('"@a", "@b", "@c"'))
    assert "only owner" in str(read_policy(text.format('"@a", "@b", "@Lee"')).warnings)
    assert parse_policy(text.format('"@acme/all"'))
    assert parse_policy(text.format('"@a", "@b", "@c"') + "tiers: {0: {owner: false}}\n")


@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        ('[infra/**, "!infra/docs/**"]', 'write "!infra/docs/" before it'),
        ('[infra/, "!infra/docs/**"]', 'protect "infra/**" instead of "infra/", then write "!infra/docs/"'),
        ('[infra/**, "!infra/docs/"]', 'write "!infra/docs/**" after it'),
        ("[infra/**, infra/**]", "twice"),
        ('["infra/*.{tf,json}"]', "braces stand for themselves (write a pattern for each of the words)"),
        ('["^infra/.*$"]', "this looks like a regular expression"),
        ("['infra\\main']", "a backslash stands before an ordinary character"),
        ('[" infra/**"]', "a space stands before it"),
        ('["~/shop/infra/**"]', "this begins where no repository does"),
    ],
)
def test_a_pattern_that_does_nothing_is_warned_of(paths: str, expected: str) -> None:
    (warning,) = read_policy(f'version: 1\nroster: ["@acme/all"]\nprotected: {paths}\n').warnings
    assert expected in str(warning)


@pytest.mark.parametrize(
    "paths",
    [
        '[infra/**, "!infra/docs/", "!infra/docs/**"]',
        '[infra/**, "!infra/docs/", "!infra/docs/*.md"]',
        '[infra/**, "!infra/Makefile"]',
        '[infra/**, "!*.md"]',
        '[infra/**, "!Docs/**"]',
        '["app/(group)/[id]/**", ".env.*", "{{cookiecutter.name}}/**", "a\\\\ "]',
    ],
)
def test_a_pattern_that_does_something_is_not(paths: str) -> None:
    assert read_policy(f'version: 1\nroster: ["@acme/all"]\nprotected: {paths}\n').warnings == ()


def test_a_branch_of_a_remote_is_warned_of() -> None:
    (warning,) = read_policy(f"{SHORT}branches: [main, origin/release, upstream]\n").warnings
    assert (warning.column, warning.hint) == (18, "write `release`")


@pytest.mark.parametrize(
    "line",
    ["re lease", "a..b", "~1", "a:b", "a@{1}", "a.lock", "a.lock/b", ".a", "a/.b", "a.", "^main$", "a|b", "v{1,2}"],
)  # fmt: skip
def test_a_line_for_branches_that_no_branch_can_be_called_is_warned_of(line: str) -> None:
    (warning, *_) = read_policy(f'{SHORT}branches: [main, "{line}"]\n').warnings
    assert (warning.line, warning.column) == (4, 18)
    assert read_policy(f'{SHORT}branches: [main, "release-*/v1.x", "!a.b", "**", "main "]\n').warnings == ()


def test_what_is_known_around_the_file_only_warns() -> None:
    lock = 'automation: {r: {app: 1, paths: [x], owner: "@lee", until: 2027-01-31}}\n'
    text = SHORT.replace('["infra/**"]', '["infra/**", "infa/**", "!infra/x", "*.tf"]') + lock
    files = ("infra/main.tf", "README.md")

    def told(today: date, paths: tuple[str, ...] = ()) -> list[str]:
        return [
            str(w) for w in read_policy(text, around=Around(today, paths)).warnings if "effect" not in str(w)
        ]

    assert told(date(2027, 1, 31)) == []
    (ended,) = told(date(2027, 2, 1))
    assert ended.startswith("line 4, column 60: `r` ended on 2027-01-31: it exempts nothing any more")
    (lost,) = told(date(2027, 1, 31), files)
    assert lost.startswith("line 3, column 25: `infa/**` matches no file that is tracked here")
    many = f"{SHORT}systems: {{a: {{paths: [b]}}}}\n"
    assert len(read_policy(many, around=Around(date(2027, 1, 1), files)).warnings) == 1


@pytest.mark.parametrize("text", ["", "\n# nothing\n", "---\n", "- a", "a", "null"])
def test_an_empty_file_is_no_policy(text: str) -> None:
    (problem,) = problems(text)
    assert "the shortest policy has three lines" in problem.hint


@pytest.mark.parametrize(
    "text",
    [
        'version: 1\nroster: ["@a/b"]\n',
        'version: 1\nroster: ["@a/b"]\nsystems: {}\n',
        'version: 1\nroster: ["@a/b"]\nprotected: []\n',
    ],
)
def test_a_policy_that_protects_nothing_is_no_policy(text: str) -> None:
    assert "nothing is protected" in said(text)


@pytest.mark.parametrize("version", ["true", "1.0", '"1"', "2", "0", ""])
def test_only_version_1_is_read(version: str) -> None:
    assert problems(SHORT.replace("version: 1", f"version: {version}"))[0].line == 1


def test_no_more_than_a_hundred_problems_are_told() -> None:
    keys = "".join(f"k{n}: 1\n" for n in range(5000))
    assert len(problems(SHORT + keys)) <= 100


def outcome(text: str) -> Policy | tuple[Problem, ...]:
    try:
        return parse_policy(text)
    except PolicyError as error:
        return error.problems


FRAGMENTS = [
    *re.findall(r"[^\s\[\]{},:]+|[\[\]{},:]|\s+", FULL),
    "on",
    "&a",
    "*a",
    "!b",
    "null",
    "-",
    "99",
    "  ",
]


@settings(deadline=None)
@given(st.text() | st.lists(st.sampled_from(FRAGMENTS), max_size=60).map("".join))
def test_any_text_is_a_policy_or_refused(text: str) -> None:
    assert outcome(text)


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 30)
    | st.sampled_from(["@a/b", "a", "!a", "main", "change", "[", ""]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["paths", "tier", "ai", "human", "app", "x", 0, 1, 3, "owners", "until"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from([*sorted(Policy.model_fields), "protected"]), VALUES))
def test_any_values_under_known_keys_are_a_policy_or_refused(tree: dict[str, object]) -> None:
    """Reaches the checks between parts, which random text never does."""
    text = yaml.safe_dump({"version": 1, "roster": ["@a/b"], "protected": ["x"]} | tree, sort_keys=False)
    got = outcome(text)
    assert isinstance(got, Policy) or all(problem.line >= 1 and problem.message for problem in got)


@settings(deadline=None)
@given(line=st.integers(0, len(FULL.splitlines()) - 1), cut=st.integers(0, 60))
def test_a_line_cut_short_is_a_policy_or_refused_with_a_place(line: int, cut: int) -> None:
    lines = FULL.splitlines()
    lines[line] = lines[line][:cut]
    got = outcome("\n".join(lines))
    assert isinstance(got, Policy) or all(1 <= problem.line <= len(lines) + 1 for problem in got)
