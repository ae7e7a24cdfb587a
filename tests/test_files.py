import os
import subprocess
import sys

import pytest

from dvae_tf.files import beside, read_json, write_json, written


def test_a_failed_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "deep" / "note.txt"
    with written(path) as temporary:
        temporary.write_text("old")
    with pytest.raises(ZeroDivisionError), written(path) as temporary:
        _ = temporary.write_text("half") / 0
    assert path.read_text() == "old"
    assert [file.name for file in path.parent.iterdir()] == ["note.txt"]


def test_what_a_killed_process_left_goes_and_what_a_running_one_writes_stays(tmp_path):
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    for process in (ended.pid, os.getppid()):
        (tmp_path / f".model.{process}.txt").write_text("half")
    (tmp_path / f".model.{ended.pid}.json").write_text("of another file")
    folder = tmp_path / f".export.{ended.pid}"
    folder.mkdir()
    (folder / "half").write_text("half")
    with written(tmp_path / "model.txt") as temporary:
        temporary.write_text("whole")
    with beside(tmp_path / "export"):
        pass
    assert {path.name for path in tmp_path.iterdir()} == {
        "model.txt",
        f".model.{os.getppid()}.txt",
        f".model.{ended.pid}.json",
    }


def test_json(tmp_path):
    write_json(tmp_path / "a.json", {"one": 1})
    assert read_json(tmp_path / "a.json") == {"one": 1}
    (tmp_path / "a.json").write_text('{"one": ')
    with pytest.raises(ValueError, match="is damaged: it holds no JSON"):
        read_json(tmp_path / "a.json")
