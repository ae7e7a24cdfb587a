import numpy as np
import pandas as pd
import pytest

from dvae_tf.data import Columns, from_table, load, load_arrays, rows_of_table

RANDOM = np.random.default_rng(0)


def people(count=60):
    """A table of all kinds of columns, some values missing."""
    age = RANDOM.integers(18, 80, count)
    return pd.DataFrame(
        {
            "age": age,
            "height": np.where(RANDOM.random(count) < 0.1, np.nan, RANDOM.normal(170, 10, count)),
            "job": RANDOM.choice(["baker", "smith", None], count),
            "grade": RANDOM.choice([1.5, 2.0, 3.0, 4.0], count),
            "member": RANDOM.random(count) < 0.5,
            "town": pd.Categorical(RANDOM.choice(["Ulm", "Bonn"], count)),
            "sex": RANDOM.choice(["f", "m"], count),
        }
    )


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "people.csv"
    people(200).to_csv(path, index=False)
    return path


def test_a_data_frame_comes_back_as_it_went_in():
    frame = people().drop(columns="sex")
    columns = Columns.of("people", frame)
    back = columns.frame(columns.wide(columns.read("people", frame)))
    assert list(back.columns) == list(frame.columns)
    for name in ("age", "member"):
        pd.testing.assert_series_equal(back[name], frame[name])
    np.testing.assert_allclose(back.height, frame.height, rtol=1e-6)
    np.testing.assert_allclose(back.grade, frame.grade, rtol=1e-6)
    assert back.job.isna().equals(frame.job.isna())
    assert (back.job.dropna() == frame.job.dropna()).all()
    assert (back.town.astype(str) == frame.town.astype(str)).all()


KINDS = {
    "whole numbers with gaps": pd.Series([18, None, 20, 25] * 10),
    "Int64 with gaps": pd.Series([18, None, 20, 25] * 10, dtype="Int64"),
    "Int64": pd.Series([18, 19, 20, 25] * 10, dtype="Int64"),
    "boolean with gaps": pd.Series([True, None, False, True] * 10, dtype="boolean"),
    "pyarrow": pd.Series([18, 19, 20, 25] * 10, dtype="int64[pyarrow]"),
    "pyarrow with gaps": pd.Series([18, None, 20, 25] * 10, dtype="int64[pyarrow]"),
    "sparse": pd.Series([18, 19, 20, 25] * 10, dtype=pd.SparseDtype("int64")),
    "ordered": pd.Series(
        pd.Categorical(["low", "mid", "high", "low"] * 10, ["low", "mid", "high"], ordered=True)
    ),
    "two, ordered": pd.Series(
        pd.Categorical(["small", "big", "big", "small"] * 10, ["small", "big"], ordered=True)
    ),
    "text": pd.Series(["baker", "smith", None, "cook"] * 10),
}


@pytest.mark.parametrize("values", KINDS.values(), ids=KINDS)
def test_a_column_keeps_its_kind(values):
    frame = pd.DataFrame({"x": values})
    columns = Columns.of("made", frame)
    packed = columns.read("made", frame)
    if columns.columns[0].kind == "numeric":
        packed += 0.003  # What is drawn is never a whole number.
    back = columns.frame(columns.wide(packed))
    pd.testing.assert_frame_equal(back, frame)
    assert Columns(columns.as_dicts()) == columns


def test_a_label_comes_back_as_it_went_in():
    grades = pd.CategoricalDtype(["low", "mid", "high"], ordered=True)
    for values in (
        pd.Series([3, 5, 10] * 10, dtype="Int64"),
        pd.Series([True, False, True] * 10),
        pd.Series(["high", "low", "mid"] * 10, dtype=grades),
    ):
        frame = pd.DataFrame({"x": range(30), "y": values})
        dataset, info = from_table(frame, "y", batch_size=30, shuffle=False)
        label = next(iter(dataset))[1].numpy()
        pd.testing.assert_series_equal(info.label_column.values(label), frame.y)
        one = frame[frame.y == frame.y.iloc[0]]
        _, lacking = from_table(one, "y", class_names=info.class_names, columns=info.columns)
        assert list(lacking.label_column.values([0, 1])) == list(info.label_column.values([0, 1]))


def test_the_kinds_of_columns():
    columns = Columns.of("people", people().drop(columns="sex"))
    kinds = {column.name: (column.kind, column.missing, column.width) for column in columns}
    assert kinds == {
        "age": ("numeric", False, 1),
        "height": ("numeric", True, 2),
        "job": ("categorical", True, 3),
        "grade": ("numeric", False, 1),
        "member": ("binary", False, 1),
        "town": ("binary", False, 1),
    }
    assert Columns(columns.as_dicts()) == columns


def test_numbers_are_standardised_and_missing_ones_marked():
    frame = pd.DataFrame({"x": [1.0, 3.0, np.nan, 5.0]})
    columns = Columns.of("made", frame)
    wide = columns.wide(columns.read("made", frame)).numpy()
    np.testing.assert_allclose(wide[[0, 1, 3], 0], [-(1.5**0.5), 0.0, 1.5**0.5], atol=1e-6)
    assert wide[:, 1].tolist() == [0.0, 0.0, 1.0, 0.0]
    assert wide[2, 0] == 0.0


def test_drawn_numbers_stay_within_those_of_the_training_rows():
    columns = Columns.of("made", pd.DataFrame({"x": [0, 1, 2, 9]}))
    assert columns.frame([[-9.0], [9.0]]).x.tolist() == [0, 9]


def test_splits_by_content_do_not_move_and_do_not_overlap(file):
    parts = {
        split: load_arrays(f"table:{file}", split, label="sex")[0] for split in ("train", "test")
    }
    assert 25 < len(parts["test"].label) < 60
    assert sum(len(part.label) for part in parts.values()) == 200
    rows = {split: {row.tobytes() for row in part.x} for split, part in parts.items()}
    assert not rows["train"] & rows["test"]
    again = load_arrays(f"table:{file}", "test", label="sex")[0]
    np.testing.assert_array_equal(again.x, parts["test"].x)


def test_what_is_dropped_or_asked_about_does_not_move_rows_to_another_split(file):
    dropped, asked = (
        load_arrays(f"table:{file}", "test", label="sex", **{option: ["town", "grade"]})[0]
        for option in ("drop", "targets")
    )
    np.testing.assert_array_equal(dropped.x, asked.x)


def test_a_gap_in_a_column_of_whole_numbers_does_not_move_rows(file):
    before = load_arrays(f"table:{file}", "test", label="sex", drop=["age"])[0]
    frame = pd.read_csv(file)
    frame["age"] = frame.age.astype(float)
    frame.to_csv(file, index=False)
    after = load_arrays(f"table:{file}", "test", label="sex", drop=["age"])[0]
    np.testing.assert_array_equal(before.label, after.label)


def test_a_split_that_is_not_told_for_every_row_is_refused(tmp_path):
    frame, path = people(30), tmp_path / "people.csv"
    for last, found in (("holdout", "'holdout'"), (None, "no value")):
        frame["split"] = ["train"] * 20 + ["test"] * 9 + [last]
        frame.to_csv(path, index=False)
        with pytest.raises(ValueError, match=f"'split' holds {found} in some rows"):
            load(f"table:{path}", label="sex")


def test_a_model_needs_no_column_that_it_does_not_use(file):
    _, info = load(f"table:{file}", label="sex", drop=["town"])
    pd.read_csv(file).drop(columns="town").to_csv(file, index=False)
    again, _ = load_arrays(
        f"table:{file}", "test", label="sex", drop=["town"], columns=info.columns
    )
    assert again.x.shape[1] == info.columns.width


def test_a_column_split_tells_the_splits_and_is_no_input(tmp_path):
    frame = people(30)
    frame["split"] = ["train"] * 20 + ["test"] * 10
    frame.to_parquet(tmp_path / "people.parquet")
    found, info = load_arrays(f"table:{tmp_path / 'people.parquet'}", "test", label="sex")
    assert len(found.label) == info.count == 10
    assert "split" not in info.columns.names
    assert info.splits == ("train", "test")


def test_batches_are_wide_rows_with_targets_as_factors(file):
    dataset, info = load(
        f"table:{file}", label="sex", drop=["town"], targets=["grade", "member"], factors=True
    )
    x, label, factors = next(iter(dataset))
    assert x.shape[1:] == info.shape == (info.columns.width,)
    assert info.columns.names == ("age", "height", "job")
    assert info.factor_names == ("grade", "member")
    assert info.factor_kinds == ("continuous", "categorical")
    assert factors.shape == (96, 2)
    assert set(label.numpy()) <= {0, 1}


def test_rows_are_asked_about_in_their_order_with_or_without_a_label(file):
    _, info = load(f"table:{file}", label="sex")
    frame = pd.read_csv(file)
    found, _ = rows_of_table(str(file), "sex", info.columns, info.class_names)
    assert found.label.tolist() == [info.class_names.index(sex) for sex in frame.sex]
    assert info.columns.frame(found.x).age.tolist() == frame.age.tolist()
    frame.drop(columns="sex").to_csv(file, index=False)
    found, _ = rows_of_table(str(file), "sex", info.columns, info.class_names)
    assert set(found.label) == {-1}


def test_a_missing_label_is_said_and_numbers_are_named_without_a_point():
    frame = pd.DataFrame({"x": [1.0, 2.0, 3.0], "y": [10.0, np.nan, 2.0]})
    with pytest.warns(UserWarning, match="1 of 3 rows have no value in the label 'y'"):
        dataset, info = from_table(frame, "y", shuffle=False)
    assert info.class_names == ("2", "10")
    assert next(iter(dataset))[1].numpy().tolist() == [1, -1, 0]


def test_a_category_that_no_training_row_has_is_said_and_read_as_missing():
    columns = Columns.of("made", pd.DataFrame({"job": ["baker", "smith", "cook"]}))
    with pytest.warns(UserWarning, match=r"1 of 2 rows have a value .* 'pilot', in the column 'jo"):
        packed = columns.read("other", pd.DataFrame({"job": ["pilot", "cook"]}))
    assert columns.wide(packed).numpy().sum(axis=-1).tolist() == [0.0, 1.0]
    with pytest.warns(UserWarning, match="1 of 2 rows have no value in the column 'job'"):
        columns.read("other", pd.DataFrame({"job": [None, "cook"]}))


def test_numbers_far_from_those_of_the_training_rows_are_said():
    columns = Columns.of("made", pd.DataFrame({"x": [1.0, 2.0, 4.0]}))
    with pytest.warns(UserWarning, match="1 of 2 rows have a number in the column 'x' that is mo"):
        columns.read("other", pd.DataFrame({"x": [2.0, 1e15]}))


def test_a_constant_column_is_said_and_comes_back():
    frame = pd.DataFrame({"x": [7, 7, 7], "y": ["a", "b", "a"]})
    with pytest.warns(UserWarning, match="all rows have the same value, 7, in the column 'x'"):
        columns = Columns.of("made", frame)
    back = columns.frame(columns.wide(columns.read("made", frame)))
    pd.testing.assert_frame_equal(back, frame)


BAD = {
    "unknown": ({"label": "weight"}, "no column 'weight'; the columns are age, height"),
    "none": ({"label": None}, "say which column is the label"),
    "unknown to drop": ({"label": "sex", "drop": ["weight"]}, "no column 'weight'"),
    "label dropped": ({"label": "sex", "drop": ["sex"]}, "'sex' is the label"),
    "nothing left": (
        {"label": "sex", "drop": ["age", "height", "job", "grade", "member", "town"]},
        "no column is left",
    ),
    "numbers": ({"label": "height"}, "numbers such as .* which are no classes"),
}


@pytest.mark.parametrize(("options", "message"), BAD.values(), ids=BAD)
def test_columns_that_cannot_be_used_are_refused(file, options, message):
    with pytest.raises(ValueError, match=message):
        load(f"table:{file}", **options)


COLUMNS = {
    "all missing": ([None] * 30, "'x' has no value in any row; drop it"),
    "dates": ([f"2020-01-{day:02d}" for day in range(1, 31)], "'x' holds dates"),
    "times": (pd.date_range("2020-01-01", periods=30), "'x' holds dates"),
    "text": ([f"name {number}" for number in range(30)], "30 different texts in 30 rows"),
    "lists": ([[1, 2]] * 30, "holds .1, 2., a list"),
    "huge": ([1e300, -1e300, *map(float, range(28))], "which cannot be standardised"),
    "months": ([f"20{year:02d}-01" for year in range(30)], "'x' holds dates"),
    "one bad number": (["?", *map(str, range(29))], "'x' holds numbers, but also '.', which is n"),
    "infinite of two": ([np.inf, 1.0] * 15, "'x' holds an infinite value"),
    "infinite": ([np.inf, *map(float, range(29))], "'x' holds an infinite value"),
}


@pytest.mark.parametrize(("values", "message"), COLUMNS.values(), ids=COLUMNS)
def test_values_that_cannot_be_learnt_from_are_refused(values, message):
    frame = pd.DataFrame({"x": values, "z": range(30), "y": [0, 1] * 15})
    with pytest.raises(ValueError, match=message):
        from_table(frame, "y")


def test_a_label_of_one_value_is_refused():
    with pytest.raises(ValueError, match="all training rows have the same value, 'm', in"):
        from_table(pd.DataFrame({"x": [1, 2], "sex": ["m", "m"]}), "sex")


LABELS = {
    "times": (pd.date_range("2020-01-01", periods=30), "holds Timestamp.*, a Timestamp, which is"),
    "lists": ([[1, 2]] * 30, "holds .1, 2., a list, which is no class"),
    "names": ([f"name {number}" for number in range(30)], "30 different values in 30 training ro"),
    "numbers of rows": (range(30), "30 different values in 30 training rows"),
}


@pytest.mark.parametrize(("values", "message"), LABELS.values(), ids=LABELS)
def test_labels_that_are_no_classes_are_refused(values, message):
    with pytest.raises(ValueError, match=message):
        from_table(pd.DataFrame({"x": range(30), "y": values}), "y")


def test_what_is_no_frame_and_no_list_is_refused():
    with pytest.raises(ValueError, match="frame is a dict; give a pandas"):
        from_table({"x": [1, 2], "y": [0, 1]}, "y")
    with pytest.raises(ValueError, match="drop and targets are lists of columns"):
        from_table(people(), "sex", drop="age")


def test_an_input_of_the_model_is_no_target(file):
    _, info = load(f"table:{file}", label="sex")
    with pytest.raises(ValueError, match=r"'age' is an input of the model; .* --drop age"):
        load(f"table:{file}", "test", label="sex", columns=info.columns, targets=["age"])


def test_text_in_a_column_of_numbers_is_refused():
    columns = Columns.of("made", pd.DataFrame({"x": [1.0, 2.0, 4.0]}))
    with pytest.raises(ValueError, match="'x' held numbers in the training rows, but"):
        columns.read("other", pd.DataFrame({"x": ["many", "1"]}))


def test_files_that_are_no_table_are_refused(tmp_path):
    with pytest.raises(ValueError, match="there is no such file"):
        load(f"table:{tmp_path / 'none.csv'}", label="y")
    (tmp_path / "x.txt").write_text("a,y\n1,2\n")
    with pytest.raises(ValueError, match=r"give a \.csv"):
        load(f"table:{tmp_path / 'x.txt'}", label="y")
    (tmp_path / "x.csv").write_text("")
    with pytest.raises(ValueError, match="no readable table"):
        load(f"table:{tmp_path / 'x.csv'}", label="y")
    (tmp_path / "x.csv").write_text("a,y\n")
    with pytest.raises(ValueError, match="the table has no rows"):
        load(f"table:{tmp_path / 'x.csv'}", label="y")
    with pytest.raises(ValueError, match=r"is the path of a table; give table:.*x\.csv"):
        load(str(tmp_path / "x.csv"), label="y")
    (tmp_path / "x.parquet").write_bytes(b"no parquet")
    with pytest.raises(ValueError, match="no readable table"):
        load(f"table:{tmp_path / 'x.parquet'}", label="y")


SPOILT = {
    "semicolons": ("a;y\n1;m\n2;f\n", "separated by ';'; give commas"),
    "semicolons and commas": ("a;y\n1,5;m\n2,5;f\n", "separated by ';'; give commas"),
    "tabs": ("a\ty\n1\tm\n2\tf\n", r"separated by '.t'; give commas"),
    "a name twice": ("a,y,a\n1,m,3\n2,f,3\n", "two columns are called 'a'"),
    "a value too many": ("a,y\n1,m,3\n2,f,3\n", "Length of header or names does not match"),
}


@pytest.mark.parametrize(("text", "message"), SPOILT.values(), ids=SPOILT)
def test_text_that_pandas_reads_as_another_table_is_refused(text, message, tmp_path):
    (tmp_path / "x.csv").write_text(text)
    with pytest.raises(ValueError, match=message):
        load(f"table:{tmp_path / 'x.csv'}", label="y")


def test_a_comma_at_the_end_of_rows_moves_no_column(tmp_path):
    (tmp_path / "x.csv").write_text("a,y\n1,m,\n2,f,\n4,m,\n")
    found, info = rows_of_table(
        str(tmp_path / "x.csv"), "y", Columns.of("x", pd.DataFrame({"a": [1, 2, 4]})), ("f", "m")
    )
    assert found.label.tolist() == [1, 0, 1]
    assert info.columns.frame(found.x).a.tolist() == [1, 2, 4]


def test_settings_of_tables_are_refused_elsewhere():
    with pytest.raises(ValueError, match="label is 'sex', but this data is no table"):
        load("three_moons", label="sex")
