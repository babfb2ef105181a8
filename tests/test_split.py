import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from repository import ROOT, edit_parameters

from stages.split import (
    choose,
    encode,
    fill,
    main,
    share,
    standardize,
    standardize_target,
)
from stages.task.command import run
from stages.task.errors import InputError
from stages.task.files import Files
from stages.task.parameters import Split
from stages.task.table import Table, read_parts, read_table, write_table


def numbers(samples: int) -> Table:
    rows = np.arange(float(samples))
    return Table(np.stack([rows, -rows], axis=1), rows, ["a", "b"], "y")


def classes(sizes: list[int]) -> Table:
    target = np.random.default_rng(0).permutation(np.arange(len(sizes)).repeat(sizes))
    rows = np.arange(float(len(target)))
    return Table(rows[:, None], target, ["a"], "kind", [str(index) for index in range(len(sizes))])


def split(test: float, seed: int = 1, standardize: bool = False) -> Split:
    return Split(test=test, seed=seed, standardize=standardize)


@given(samples=st.integers(2, 200), seed=st.integers(0, 2**64), data=st.data())
def test_as_many_samples_test_as_asked_for(samples, seed, data):
    test = data.draw(st.integers(1, samples - 1))
    testing = choose(numbers(samples), split(test, seed))
    assert testing.shape == (samples,)
    assert testing.sum() == test


@pytest.mark.parametrize(("samples", "test", "count"), [(200, 0.2, 40), (10, 0.27, 3), (3, 0.5, 2)])
def test_a_fraction_is_rounded_to_samples(samples, test, count):
    assert choose(numbers(samples), split(test)).sum() == count


def test_the_seed_decides_and_nothing_else():
    table = numbers(100)
    first = choose(table, split(30, seed=1))
    np.testing.assert_array_equal(first, choose(table, split(30, seed=1)))
    assert (first != choose(table, split(30, seed=2))).any()
    # The choice is by place in the table, not by value.
    np.testing.assert_array_equal(
        first, choose(replace(table, features=table.features[::-1]), split(30, seed=1))
    )


def test_every_sample_is_as_likely_to_test_as_another():
    table, draws = numbers(20), 2000
    chosen = sum(choose(table, split(5, seed)).astype(int) for seed in range(draws))
    # Binomial with probability 1/4: five standard deviations.
    assert np.abs(chosen - draws / 4).max() < 5 * np.sqrt(draws * 3 / 16)


sizes_of_classes = st.lists(st.integers(2, 60), min_size=2, max_size=8)


@given(sizes=sizes_of_classes, data=st.data())
def test_a_class_tests_in_proportion_to_its_size_and_is_in_both_parts(sizes, data):
    total = sum(sizes)
    test = data.draw(st.integers(len(sizes), total - len(sizes)))
    table = classes(sizes)
    testing = choose(table, split(test))
    counts = np.bincount(table.target[testing], minlength=len(sizes))
    assert counts.sum() == test
    assert (counts >= 1).all()
    assert (counts < sizes).all()
    if (counts > 1).all() and (counts < np.array(sizes) - 1).all():
        # No class had to give way to the rule that it is in both parts.
        assert np.abs(counts - test * np.array(sizes) / total).max() < 1


@given(sizes=sizes_of_classes, data=st.data())
def test_the_largest_remainder_gets_the_sample_that_is_left(sizes, data):
    test = data.draw(st.integers(len(sizes), sum(sizes) - len(sizes)))
    counts = share(test, np.array(sizes))
    exact = [test * size / sum(sizes) for size in sizes]

    def error(counts) -> float:
        return sum((count - share) ** 2 for count, share in zip(counts, exact, strict=True))

    # No move of one sample from a class to another would come nearer to the exact shares.
    for giver in range(len(sizes)):
        for taker in range(len(sizes)):
            if counts[giver] > 1 and counts[taker] < sizes[taker] - 1 and giver != taker:
                moved = counts.copy()
                moved[giver] -= 1
                moved[taker] += 1
                assert error(moved) >= error(counts) - 1e-9


@given(
    samples=st.integers(20, 200),
    strata=st.integers(2, 5),
    share=st.floats(0.3, 0.7),
    seed=st.integers(0, 2**64),
)
def test_each_stratum_of_a_number_tests_in_proportion(samples, strata, share, seed):
    target = np.random.default_rng(0).permutation(samples) ** 2.0
    table = replace(numbers(samples), target=target)
    options = Split(test=share, seed=seed, standardize=False, strata=strata)
    testing = choose(table, options)
    assert testing.sum() == round(share * samples)
    for part in np.array_split(np.sort(target), strata):
        inside = np.isin(target, part)
        # A sample at an edge may be in the next stratum, and shares are rounded.
        assert abs((testing & inside).sum() - share * inside.sum()) < 3


@given(
    sizes=st.lists(st.integers(1, 20), min_size=2, max_size=30),
    seed=st.integers(0, 2**64),
    share=st.floats(0.1, 0.9),
)
def test_a_group_is_on_one_side(sizes, seed, share):
    groups = np.random.default_rng(0).permutation(np.arange(len(sizes)).repeat(sizes))
    table = replace(numbers(len(groups)), groups=groups)
    try:
        testing = choose(table, split(share, seed))
    except InputError:
        # Then one group is more than half of what is there, or all are more than can test.
        test = round(share * len(groups))
        assert min(sizes) >= 2 * test or len(groups) - test <= max(sizes) / 2
        return
    assert 0 < testing.sum() < len(groups)
    for group in range(len(sizes)):
        assert len(set(testing[groups == group])) == 1
    # No group that trains would bring the test part nearer to its size.
    for group in set(groups[~testing]):
        test = round(share * len(groups))
        before, after = testing.sum(), testing.sum() + sizes[group]
        assert abs(after - test) >= abs(before - test)


def test_groups_are_chosen_by_the_seed():
    table = replace(numbers(100), groups=np.arange(100) // 5)
    first = choose(table, split(20, 1))
    assert first.sum() == 20
    np.testing.assert_array_equal(first, choose(table, split(20, 1)))
    assert (first != choose(table, split(20, 2))).any()


def test_a_class_that_groups_keep_from_a_part_is_named():
    table = Table(np.ones((6, 1)), np.array([0, 0, 0, 0, 1, 1]), ["a"], "k", ["x", "y"])
    table = replace(table, groups=np.array([0, 0, 1, 1, 2, 2]))
    with pytest.raises(InputError) as caught:
        choose(table, split(2))
    assert re.fullmatch(
        r"leaves the (test|training) part no sample of class '[xy]', since groups are not parted; "
        r"another split\.seed may",
        str(caught.value),
    )


def test_samples_with_several_targets_are_all_alike():
    rows = np.arange(10.0)
    answers = np.stack([rows % 2, rows % 3], axis=1).astype(np.int64)
    table = Table(rows[:, None], answers, ["a"], "y", ["0", "1", "2"])
    alike = replace(numbers(10), features=table.features)
    for test in (1, 4, 9):
        np.testing.assert_array_equal(choose(table, split(test)), choose(alike, split(test)))


thousandths = st.integers(-(10**9), 10**9).map(lambda value: value / 1000)


@given(features=st.lists(st.tuples(thousandths, thousandths), min_size=3, max_size=30))
def test_standardizing_takes_its_scale_from_the_training_part_only(features):
    values = np.array(features)
    rows = np.arange(float(len(values)))
    train = Table(values[:-1], rows[:-1], ["a", "b"], "y")
    test = Table(values[-1:] * 100 + 7, rows[-1:], ["a", "b"], "y")
    scaled, scaled_test = standardize(train, test)
    same, _ = standardize(train, replace(test, features=test.features * 1e9))
    np.testing.assert_array_equal(same.features, scaled.features)
    for column in range(2):
        spread = np.ptp(train.features[:, column])
        if spread > 0:
            assert scaled.features[:, column].mean() == pytest.approx(0, abs=1e-6)
            assert scaled.features[:, column].std() == pytest.approx(1, rel=1e-6)
        else:
            np.testing.assert_allclose(scaled.features[:, column], 0, atol=1e-9)
    # The test part is moved by the same line, point by point.
    np.testing.assert_array_equal(standardize(train, train)[1].features, scaled.features)
    assert np.isfinite(scaled_test.features).all()
    assert scaled_test.target is test.target


NAN = np.nan


def mixed(rows: list[list[float]], **options) -> Table:
    """Samples of a number `a` and a category `b`."""
    labels = {"b": ["x", "y", "z"]}
    target = np.arange(float(len(rows)))
    return Table(np.array(rows, float), target, ["a", "b"], "k", None, labels, **options)


@pytest.mark.parametrize(("how", "value"), [("mean", 4), ("median", 2)])
def test_what_is_missing_is_filled_in_from_the_training_part_only(how, value):
    train = mixed([[1, 2], [NAN, 1], [2, 1], [9, NAN]], fill=how)
    test = mixed([[NAN, 0], [100, NAN]], fill=how)
    filled, filled_test = fill("t", train, test)
    assert filled.features.tolist() == [[1, 2], [value, 1], [2, 1], [9, 1]]
    assert filled_test.features.tolist() == [[value, 0], [100, 1]]
    assert filled.fill is filled_test.fill is None
    assert np.isnan(train.features).any()  # the tables that were given stay


def test_a_feature_without_a_value_to_train_on_cannot_be_filled_in():
    train, test = mixed([[NAN, 0], [NAN, 1]], fill="mean"), mixed([[1, 1]], fill="mean")
    with pytest.raises(InputError) as caught:
        fill("t", train, test)
    assert str(caught.value) == (
        "params.yaml: tasks.t.data.missing: must be drop, since no training sample has a value of "
        "a; got mean"
    )


def test_a_category_becomes_a_feature_for_each_that_a_training_sample_has(capsys):
    train, test = encode("t", mixed([[5, 2], [6, 0], [7, 2]]), mixed([[8, 0], [9, 1], [9, 1]]))
    for table in (train, test):
        assert table.feature_names == ["a", "b=x", "b=z"]
        assert table.categories == {}
    assert train.features.tolist() == [[5, 0, 1], [6, 1, 0], [7, 0, 1]]
    assert test.features.tolist() == [[8, 1, 0], [9, 0, 0], [9, 0, 0]]
    assert capsys.readouterr().out == (
        "tasks.t: 2 of 3 test samples are of a b that no training sample has (y): all columns of b "
        "are 0 for them\n"
    )


def test_standardizing_leaves_categories_as_they_are():
    train, test = standardize(mixed([[5, 2], [7, 0]]), mixed([[8, 1]]))
    assert train.features.tolist() == [[-1, 2], [1, 0]]
    assert test.features.tolist() == [[2, 1]]


def test_a_target_is_standardized_over_the_training_samples_and_knows_its_units():
    train, test = replace(numbers(5), target=np.array([1e5, 1e5, 1e5, 3e5, 3e5])), numbers(1)
    scaled, scaled_test = standardize_target("t", train, test)
    assert scaled.target.mean() == pytest.approx(0, abs=1e-15)
    assert scaled.target.std() == pytest.approx(1)
    assert scaled_test.units == scaled.units == pytest.approx((1.8e5, 1e5 * np.sqrt(0.96)))
    np.testing.assert_allclose(scaled.in_own_units().target, train.target, rtol=1e-15)
    np.testing.assert_allclose(scaled_test.in_own_units().target, test.target, atol=1e-10)
    constant, _ = standardize_target("t", replace(train, target=np.full(5, 0.1)), test)
    assert constant.target.tolist() == [0] * 5
    assert constant.units[1] == 1


def test_a_target_of_classes_is_not_standardized():
    with pytest.raises(InputError) as caught:
        standardize_target("t", classes([2, 2]), classes([2, 2]))
    assert str(caught.value) == (
        "params.yaml: tasks.t.split.standardize_target: must be false with loss cross_entropy, "
        "whose target is classes; got true"
    )


@pytest.fixture
def project(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    shutil.copy(ROOT / "params.yaml", tmp_path)
    (tmp_path / "stages").symlink_to(ROOT / "stages")
    return tmp_path


@pytest.mark.usefixtures("project")
def test_the_parts_are_the_whole_and_keep_its_order():
    table = classes([30, 20])
    write_table(Files("classification").raw, table)
    run(main, ["classification"])
    train, test = (
        read_table(Files("classification").train),
        read_table(Files("classification").test),
    )
    assert (len(train.target), len(test.target)) == (40, 10)
    rows = [part.features[:, 0].astype(int) for part in (train, test)]
    for part, index in zip((train, test), rows, strict=True):
        assert (np.diff(index) > 0).all()
        np.testing.assert_array_equal(part.target, table.target[index])
        assert (part.feature_names, part.target_name, part.classes) == (["a"], "kind", ["0", "1"])
    np.testing.assert_array_equal(np.sort(np.concatenate(rows)), np.arange(50))


def test_standardize_is_what_the_parameter_says(project):
    edit_parameters(project, lambda p: p["tasks"]["regression"]["split"].update(standardize=True))
    write_table(Files("regression").raw, numbers(300))
    run(main, ["regression"])
    train, test = read_table(Files("regression").train), read_table(Files("regression").test)
    np.testing.assert_allclose(train.features.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(train.features.std(axis=0), 1)
    assert abs(test.features.mean()) > 0 or test.features.std() != 1
    # The target is left as it is.
    np.testing.assert_array_equal(
        np.sort(np.concatenate([train.target, test.target])), np.arange(300.0)
    )


@pytest.mark.usefixtures("project")
def test_missing_values_and_categories_pass_from_generate_to_the_parts():
    table = replace(mixed([[1, 0], [NAN, 2], [2, 0], [2, NAN]] * 100), fill="median")
    table = replace(table, groups=np.arange(400) // 4)
    write_table(Files("regression").raw, table)
    raw = read_table(Files("regression").raw)
    assert (raw.categories, raw.fill) == (table.categories, "median")
    np.testing.assert_array_equal(raw.groups, table.groups)
    np.testing.assert_array_equal(raw.features, table.features)
    run(main, ["regression"])
    for path in (Files("regression").train, Files("regression").test):
        part = read_table(path)
        assert part.feature_names == ["a", "b=x", "b=z"]
        assert (part.categories, part.fill, part.groups) == ({}, None, None)
        assert np.unique(part.features, axis=0).tolist() == [[1, 1, 0], [2, 0, 1], [2, 1, 0]]


@pytest.mark.parametrize(("size", "standardized"), [(1e5, False), (1e5, True), (100, False)])
def test_a_large_target_is_answered_with_the_option_for_it(project, capsys, size, standardized):
    edit_parameters(
        project,
        lambda p: p["tasks"]["regression"]["split"].update(standardize_target=standardized),
    )
    write_table(Files("regression").raw, replace(numbers(300), target=np.full(300, size)))
    run(main, ["regression"])
    assert read_table(Files("regression").train).units == ((size, 1) if standardized else None)
    printed = capsys.readouterr().out
    assert ("split.standardize_target: true" in printed) == (size == 1e5 and not standardized)


@pytest.mark.parametrize("task", ["regression", "moons"])
def test_with_a_test_of_0_all_samples_train(project, task):
    edit_parameters(project, lambda p: p["tasks"][task]["split"].update(test=0, standardize=True))
    table = numbers(30) if task == "regression" else classes([20, 10])
    write_table(Files(task).raw, table)
    run(main, [task])
    assert set(read_parts(Files(task))) == {"train"}
    np.testing.assert_array_equal(read_table(Files(task).train).target, table.target)
    test = read_table(Files(task).test)
    assert test.features.shape == (0, table.features.shape[1])
    assert (test.target.dtype, test.classes) == (table.target.dtype, table.classes)


@pytest.mark.parametrize(
    ("test", "message"),
    [
        (100, "must be from 1 to 99 of the 100 samples, got 100"),
        (300, "must be from 1 to 99 of the 100 samples, got 300"),
        (0.001, "must be from 1 to 99 of the 100 samples, got 0, which is 0.001 of them"),
        (0.999, "must be from 1 to 99 of the 100 samples, got 100, which is 0.999 of them"),
    ],
)
def test_a_part_without_samples_is_refused(project, test, message):
    edit_parameters(project, lambda p: p["tasks"]["regression"]["split"].update(test=test))
    write_table(Files("regression").raw, numbers(100))
    with pytest.raises(SystemExit) as stopped:
        run(main, ["regression"])
    assert stopped.value.code == f"params.yaml: tasks.regression.split.test: {message}"
    assert not Files("regression").train.exists()


@pytest.mark.parametrize(
    ("test", "got"), [(2, "2"), (38, "38"), (0.05, "2, which is 0.05 of them")]
)
def test_a_part_without_one_of_the_classes_is_refused(project, test, got):
    edit_parameters(project, lambda p: p["tasks"]["moons"]["split"].update(test=test))
    write_table(Files("moons").raw, classes([20, 10, 10]))
    with pytest.raises(SystemExit) as stopped:
        run(main, ["moons"])
    assert stopped.value.code == (
        "params.yaml: tasks.moons.split.test: must be from 3 to 37 of the 40 samples, "
        f"got {got}; each class needs one in either part"
    )


@pytest.mark.parametrize("test", [0, 2, 0.5])
def test_a_class_of_one_sample_trains_where_none_tests(project, test):
    edit_parameters(project, lambda p: p["tasks"]["moons"]["split"].update(test=test))
    table = replace(classes([3, 1]), single="my.csv: line 3: is the only sample")
    write_table(Files("moons").raw, table)
    if test:
        with pytest.raises(SystemExit) as stopped:
            run(main, ["moons"])
        assert stopped.value.code == table.single
    else:
        run(main, ["moons"])
        train = read_table(Files("moons").train)
        np.testing.assert_array_equal(train.target, table.target)
        assert train.single is None


@pytest.mark.parametrize("by", ["classes", "data.group"])
def test_strata_are_of_numbers_without_groups(project, by):
    edit_parameters(project, lambda p: p["tasks"]["moons"]["split"].update(strata=4))
    table = classes([20, 20]) if by == "classes" else replace(numbers(9), groups=np.arange(9))
    write_table(Files("moons").raw, table)
    with pytest.raises(SystemExit) as stopped:
        run(main, ["moons"])
    assert stopped.value.code == (
        "params.yaml: tasks.moons.split.strata: must be 1, since the samples are split by "
        f"{by}; got 4"
    )


@pytest.mark.parametrize("strata", [5, 6, 10, 11, 100])
def test_a_stratum_needs_a_sample_in_either_part(strata):
    options = Split(test=4, seed=1, standardize=False, strata=strata)
    with pytest.raises(InputError, match="each stratum needs one in either part"):
        choose(numbers(10), options)


@pytest.mark.usefixtures("project")
def test_without_the_table_of_generate_it_says_which_file_is_not_there():
    with pytest.raises(SystemExit) as stopped:
        run(main, ["moons"])
    assert stopped.value.code == "data/moons/raw.parquet: No such file or directory"
