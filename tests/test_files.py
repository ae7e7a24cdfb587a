import pytest

from dvae_tf.files import read_json, write_json, written


def test_a_failed_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "deep" / "note.txt"
    with written(path) as temporary:
        temporary.write_text("old")
    with pytest.raises(ZeroDivisionError), written(path) as temporary:
        _ = temporary.write_text("half") / 0
    assert path.read_text() == "old"
    assert [file.name for file in path.parent.iterdir()] == ["note.txt"]


def test_json(tmp_path):
    write_json(tmp_path / "a.json", {"one": 1})
    assert read_json(tmp_path / "a.json") == {"one": 1}
    (tmp_path / "a.json").write_text('{"one": ')
    with pytest.raises(ValueError, match="is damaged: it holds no JSON"):
        read_json(tmp_path / "a.json")
