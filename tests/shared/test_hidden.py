"""What GitHub's diff need not show of a merge."""

from foureyes.shared.change import Change
from foureyes.shared.hidden import hidden


def change(path: str, old: str = "a", new: str = "b", mode: str = "100644") -> Change:
    return Change(path, "M", mode, "100644", old * 40, new * 40)


def test_with_one_merge_base_all_that_the_head_changes_is_shown() -> None:
    assert hidden([change("x", "c", "d")], [[change("x"), change("y")]]) == ()
    assert hidden([change("x")], [[change("y")]]) == ("x",)


def test_the_base_itself_shows_all() -> None:
    assert hidden([change("x")], []) == ()


def test_every_merge_base_has_to_show_the_path() -> None:
    assert hidden([change("y"), change("x")], [[change("x"), change("y")], []]) == ("x", "y")


def test_merge_bases_that_differ_in_a_file_hide_what_becomes_of_it() -> None:
    """A change in the last line that all show says nothing of the first, which only one of them shows."""
    assert hidden([change("x")], [[change("x", "c")], [change("x", "d")]]) == ("x",)
    assert hidden([change("x")], [[change("x", mode="100755")], [change("x")]]) == ("x",)
    assert hidden([change("x", "c")], [[change("x")], [change("x")]]) == ()
