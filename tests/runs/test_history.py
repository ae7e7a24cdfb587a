from dvae_tf.runs import read_history, write_history


def test_history_survives_a_round_trip(tmp_path):
    rows = [{"epoch": 1, "loss": 0.1, "saved": 0}, {"epoch": 2, "loss": 1e-9, "saved": 1}]
    write_history(tmp_path / "history.csv", rows)
    assert read_history(tmp_path / "history.csv") == rows
    assert read_history(tmp_path / "missing.csv") == []
