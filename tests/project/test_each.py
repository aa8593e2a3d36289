"""A joined test fails where one of its cases does, and names every one that fails."""

import pytest
from support.each import each


def failures(test, **fixtures):
    with pytest.raises(BaseExceptionGroup) as caught:
        test(**fixtures)
    return caught.value


def test_all_that_fail_are_named():
    tried = []

    @each("number", [1, 2, 3, 4])
    def joined(number):
        tried.append(number)
        assert number % 2

    caught = failures(joined)
    assert str(caught).startswith("2 of 4 cases failed: 2, 4")
    assert [error.__notes__ for error in caught.exceptions] == [["case: 2"], ["case: 4"]]
    assert tried == [1, 2, 3, 4]


def test_other_ways_to_fail_are_failures_too():
    @each("how", [pytest.fail, pytest.skip, lambda _: 1 / 0, str], ids=["fail", "skip", "0", "ok"])
    def joined(how):
        how("why")

    assert str(failures(joined)).startswith("3 of 4 cases failed: fail, skip, 0 ")


def test_cases_are_named_as_pytest_names_them():
    @each(("a", "b"), [pytest.param(1, 2, id="first"), (3, "x"), (print, 0)])
    @each("c", [None], ids={"none": "a mapping gives its keys"})
    def joined(a, b, c):
        raise ValueError((a, b, c))

    caught = failures(joined)
    assert str(caught).startswith("3 of 3 cases failed: first, 3-x, print-0 ")
    assert caught.exceptions[1].exceptions[0].args == ((3, "x", None),)


def test_what_has_no_case_or_marks_on_them_is_refused():
    with pytest.raises(AssertionError, match="no case"):
        each("a", [])
    with pytest.raises(AssertionError, match="marks"):
        each("a", [pytest.param(1, marks=pytest.mark.full)])


@each("number", [0, 1])
def test_a_case_has_a_folder_and_patches_of_its_own(tmp_path, monkeypatch, capsys, number):
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "left").touch()
    assert capsys.readouterr().out == ""
    print("said")
    assert "patched" not in globals()
    monkeypatch.setitem(globals(), "patched", number)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "in" / "model").mkdir(parents=True)
    return tmp_path / "in" / "model"


@each("name", ["a", "b"])
@each("number", [0, 1])
def test_a_folder_that_a_fixture_made_is_copied_for_each_case(folder, name, number):
    assert list(folder.iterdir()) == []
    assert folder.parent.name == "in"
    (folder / f"{name}{number}").touch()


class TestInAClass:
    @each("number", [0, 1])
    def test_methods_are_joined_too(self, number):
        assert isinstance(self, TestInAClass)
        assert number < 2
