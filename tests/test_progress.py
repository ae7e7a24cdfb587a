import io

from rich.console import Console

from dvae_tf.progress import steps


def test_a_terminal_sees_which_step_and_the_time_left():
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=100)
    with steps("measuring", ["swap", "leakage"], console) as names:
        assert list(names) == ["swap", "leakage"]
    assert "measuring: leakage" in out.getvalue()
    assert "left" in out.getvalue()


def test_a_file_sees_nothing():
    out = io.StringIO()
    with steps("measuring", ["swap"], Console(file=out)) as names:
        assert list(names) == ["swap"]
    assert out.getvalue().strip() == ""
