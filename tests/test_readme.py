import doctest

from repository import ROOT


def test_the_examples_in_the_readme_hold() -> None:
    failed, examples = doctest.testfile(str(ROOT / "README.md"), module_relative=False)
    assert examples > 0
    assert failed == 0
