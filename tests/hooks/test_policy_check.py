"""`foureyes policy check` and `policy schema`: the commands themselves, as a person runs them."""

import json
import sys
from pathlib import Path

import pytest
from support_git import foureyes, python_env, run
from support_in_process import ended as in_process
from support_policy import FULL, SHORT

from foureyes.hooks import policy_file
from foureyes.shared.errors import UserError

BAD = """\
version: 1
roster: ["@acme/engineers", "@acme/engineers"]
protected: ["infra/**", "a**"]
machine_user: [acme-release]
"""


def write(folder: Path, text: str | bytes, name: str = ".github/foureyes.yml") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def ended(folder: Path, *arguments: str) -> tuple[int, str, str]:
    return in_process(folder, *arguments)


@pytest.mark.parametrize("text", [SHORT, FULL])
def test_a_policy_in_order_ends_with_0_and_one_line(tmp_path: Path, text: str) -> None:
    write(tmp_path, text)
    status, out, err = ended(tmp_path, "policy", "check")
    assert (status, err) == (0, "")
    assert out.startswith(".github/foureyes.yml is in order")
    assert len(out.splitlines()) == 1
    assert "@acme/engineers" in out


def test_errors_and_warnings_come_together_with_line_column_and_hint(tmp_path: Path) -> None:
    write(tmp_path, BAD, "p.yml")
    status, out, _ = ended(tmp_path, "policy", "check", "p.yml")
    assert status == 1
    lines = out.splitlines()
    assert lines[0].startswith("p.yml:2:29: warning: @acme/engineers stands here twice")
    assert lines[1].startswith("p.yml:3:25: error: ")
    assert "put slashes around it" in lines[1]
    assert lines[2] == ("p.yml:4:1: error: `machine_user` is not known (did you mean `machine_users`?)")
    assert lines[3] == "2 errors, 1 warning"


def test_a_pattern_that_no_tracked_file_matches_and_an_exemption_that_ended_are_warned_of(
    tmp_path: Path,
) -> None:
    over = 'automation: {r: {app: 1, paths: [x], owner: "@lee", until: 2020-01-31}}\n'
    write(tmp_path, SHORT.replace('["infra/**"]', '["infra/**", "infa/**"]') + over)
    write(tmp_path, "", "infra/main.tf")
    write(tmp_path, "", "infa/untracked")
    assert "matches no file" not in ended(tmp_path, "policy", "check")[1], "not known outside a repository"
    run(["git", "init", "-q"], tmp_path)
    run(["git", "add", "infra"], tmp_path)
    status, out, _ = ended(tmp_path, "policy", "check")
    assert status == 0
    assert "3:25: warning: `infa/**` matches no file that is tracked here" in out
    assert "4:60: warning: `r` ended on 2020-01-31" in out
    assert "2 warnings" in out


def test_G47_a_roster_that_cannot_meet_a_tier_is_an_error_and_a_tight_one_a_warning(tmp_path: Path) -> None:
    base = 'version: 1\nprotected: ["infra/**"]\nroster: '
    write(tmp_path, base + '["@olga"]\n', "one.yml")
    write(tmp_path, base + '["@olga", "@ben"]\n', "two.yml")
    status, out, _ = ended(tmp_path, "policy", "check", "one.yml")
    assert status == 1
    assert "one.yml:3:9: error: the roster has 1 person, and tier 0 asks for 2" in out
    status, out, _ = ended(tmp_path, "policy", "check", "two.yml")
    assert status == 0
    assert "two.yml:3:9: warning: the roster has 2 people" in out
    assert "in order, 1 warning" in out


def test_the_same_for_programs(tmp_path: Path) -> None:
    write(tmp_path, BAD, "p.yml")
    status, out, _ = ended(tmp_path, "policy", "check", "p.yml", "--json")
    told = json.loads(out)
    assert (status, told["good"], told["file"]) == (1, False, "p.yml")
    assert [problem["line"] for problem in told["errors"]] == [3, 4]
    assert told["errors"][1] == {
        "line": 4,
        "column": 1,
        "message": "`machine_user` is not known",
        "hint": "did you mean `machine_users`?",
    }
    assert [problem["column"] for problem in told["warnings"]] == [29]
    write(tmp_path, SHORT, "p.yml")
    status, out, _ = ended(tmp_path, "policy", "check", "p.yml", "--json")
    assert (status, json.loads(out)) == (0, {"file": "p.yml", "good": True, "errors": [], "warnings": []})


def test_bytes_that_are_no_text_are_an_error_with_their_place(tmp_path: Path) -> None:
    write(tmp_path, b"version: 1\nroster: [\xff]\n")
    status, out, _ = ended(tmp_path, "policy", "check")
    assert status == 1
    assert out.startswith(".github/foureyes.yml:2:10: error: the file is not UTF-8 text here")


def test_standard_input_is_read_for_a_dash(tmp_path: Path) -> None:
    code = "from foureyes.hooks.cli import main; main()"
    argv = [sys.executable, "-c", code, "policy", "check", "-"]
    done = run(argv, tmp_path, env=python_env(), stdin=BAD.encode(), ok=False)
    assert done.returncode == 1
    assert b"stdin:4:1: error" in done.stdout


def test_a_file_that_is_not_there_is_said_so_with_what_to_do(tmp_path: Path) -> None:
    status, out, err = ended(tmp_path, "policy", "check")
    assert (status, out) == (1, "")
    assert ".github/foureyes.yml cannot be read: No such file" in err
    assert "top of the repository" in err
    assert "Traceback" not in err


def test_the_schema_is_the_one_in_the_docs(tmp_path: Path, checkout: Path) -> None:
    assert foureyes(tmp_path, "policy", "schema") == (checkout / "docs/policy.schema.json").read_text()
    assert foureyes(tmp_path, "policy", "schema", "--json") == foureyes(tmp_path, "policy", "schema")


def test_the_group_names_its_commands_and_refuses_others(tmp_path: Path) -> None:
    status, out, _ = ended(tmp_path, "policy", "--help")
    assert status == 0
    listed = out.split("Commands:\n")[1].splitlines()
    assert [line.split()[0] for line in listed] == ["check", "test", "schema"]
    assert ended(tmp_path, "policy", "chek")[0] == 2


def test_a_command_that_needs_a_policy_tells_every_error() -> None:
    with pytest.raises(UserError) as refused:
        policy_file.policy_from(BAD.encode(), "p.yml")
    assert refused.value.what.startswith("the policy has 2 errors:\n  p.yml:3:25: error:")
    assert policy_file.policy_from(SHORT.encode(), "p.yml").roster == ("@acme/engineers",)
