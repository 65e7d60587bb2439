"""What a change destroys is counted, and said only where it is much."""

import pytest
from support_facts import change

from foureyes.shared.destruction import FILES, LINES, Place, destruction, emptied


def gone(path: str, lines: int = 10, **over: object) -> object:
    return change(path, "D", new_mode="000000", added=0, deleted=lines, **over)


def test_little_is_not_said() -> None:
    assert destruction([]) is None
    assert destruction([gone(f"a/{n}") for n in range(FILES - 1)]) is None  # type: ignore[misc]
    assert destruction([change(added=9, deleted=LINES + 8)]) is None


def test_many_files_or_many_lines_are() -> None:
    files = destruction([gone(f"a/{n}", 1) for n in range(FILES)])  # type: ignore[misc]
    assert files is not None
    assert (files.files, files.lines, files.added) == (FILES, FILES, 0)
    lines = destruction([change("a/b", added=1, deleted=LINES + 1)])
    assert lines is not None
    assert (lines.files, lines.lines, lines.added, lines.tests) == (0, LINES + 1, 1, 0)
    assert lines.largest == (Place("a/", LINES + 1, 0),)


def test_the_largest_directories_stand_below_what_all_have_in_common() -> None:
    found = destruction(
        [gone(f"shop/cart/{n}", 9) for n in range(10)]  # type: ignore[misc]
        + [gone(f"shop/db/old/{n}", 3) for n in range(4)]
        + [gone("shop/price/x", 50), gone("shop/top", 2), change("other/file", added=5, deleted=0)]
    )
    assert found is not None
    assert found.largest == (
        Place("shop/cart/", 90, 10),
        Place("shop/price/", 50, 1),
        Place("shop/db/", 12, 4),
    )
    assert (found.lines, found.files) == (154, 16)
    at_the_top = destruction([gone(f"{name}/{n}", 1) for name in "ab" for n in range(9)] + [gone("c", 99)])  # type: ignore[misc,operator]
    assert at_the_top is not None
    assert at_the_top.largest[0] == Place("", 99, 1)


def test_where_whole_files_are_deleted_is_the_deepest_directory_that_holds_them_all() -> None:
    cart = [gone(f"shop/cart/{n}") for n in range(FILES)]
    assert emptied(cart) == "shop/cart/"  # type: ignore[arg-type]
    elsewhere = change("other/file", added=0, deleted=9)
    assert emptied([*cart, elsewhere, gone("shop/cartoon")]) == "shop/"  # type: ignore[list-item]
    assert emptied([*cart, gone("top")]) == ""  # type: ignore[list-item]


def test_where_no_whole_file_or_not_much_is_deleted_nothing_is_to_be_counted() -> None:
    assert emptied([change(added=0, deleted=LINES)]) is None
    assert emptied([gone("a/b")]) is None  # type: ignore[list-item]


def test_of_a_directory_whose_name_is_longer_than_any_path_nothing_is_asked() -> None:
    long = "\\xff" * 4_095  # one byte each
    assert emptied([gone(f"{long}/{n}") for n in range(FILES)]) == f"{long}/"  # type: ignore[misc]
    assert emptied([gone(f"{long}x/{n}") for n in range(FILES)]) is None  # type: ignore[misc]


@pytest.mark.parametrize(
    ("path", "test"),
    [
        ("tests/cart.py", True), ("src/test/java/CartTest.java", True), ("cart_test.go", True), ("test_cart.py", True),
        ("cart.spec.ts", True), ("app/__tests__/x.js", True), ("src/contest.py", False), ("latest/x.py", False),
        ("inspector.rb", False), ("attestation/x.py", False),
    ],
)  # fmt: skip
def test_tests_are_known_by_their_names(path: str, test: bool) -> None:
    found = destruction([gone(path), *(gone(f"x/{n}") for n in range(FILES))])  # type: ignore[misc]
    assert found is not None
    assert found.tests == int(test)
