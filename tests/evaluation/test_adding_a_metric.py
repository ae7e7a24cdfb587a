"""Follows "Add a metric" of CONTRIBUTING.md with a toy metric."""

import numpy as np
import pytest

from dvae_tf import evaluation
from dvae_tf.commands.compare import as_markdown, tabulate
from dvae_tf.data.examples import Arrays, Info
from dvae_tf.drawing.report_page import write_page
from dvae_tf.evaluation.estimate import mean_estimate


def norm(codes):
    """The mean length of codes."""
    return mean_estimate(np.linalg.norm(codes, axis=-1))


def _measure(bench):
    return {"zu_norm": {"mean": norm(bench.codes.z_u_mean)}}


METRIC = evaluation.Metric(
    name="norm",
    group="Toy",
    needs=("encode",),
    measure=_measure,
    meanings={"zu_norm.mean": "mean length of z_u"},
    rows=(evaluation.Row("zu_norm.mean", "length of z_u ↓"),),
    card={"zu_norm.mean": "length of z_u"},
)
METRICS = (*evaluation.METRICS, METRIC)


class Codes:
    z_u_mean = np.array([[3.0, 4.0], [0.0, 1.0]])


@pytest.fixture(scope="module")
def report():
    arrays = Arrays(np.zeros((2, 2), np.float32), np.array([0, 1]))
    info = Info("toy", "test", (2,), ("a", "b"), 2)
    subject = evaluation.Subject(encode=lambda x: Codes)
    return evaluation.report(subject, arrays, arrays, info, ["norm"], metrics=METRICS)


def test_its_formula_gives_what_is_known():
    assert norm(Codes.z_u_mean).value == 3.0


def test_it_is_in_the_report_with_its_interval(report):
    assert report["zu_norm"] == {"mean": 3.0}
    assert report["intervals"]["zu_norm"]["mean"] == {"low": 1.0, "high": 5.0, "examples": 2}


def test_it_is_left_out_where_its_functions_are_missing():
    assert "norm" not in evaluation.measurable(evaluation.Subject(), metrics=METRICS)


def test_it_is_on_the_report_page_with_its_meaning(report, tmp_path):
    arguments = dict.fromkeys(("model", "dataset", "preset", "recipe", "epochs", "seed"), 1)
    description = {"arguments": arguments, "data": {"training_examples": 2}}
    write_page(tmp_path / "report.html", description, report, [], METRICS)
    page = (tmp_path / "report.html").read_text()
    for text in ("Toy</h2>", "zu_norm.mean", "1 to 5", "mean length of z_u"):
        assert text in page


def test_it_is_a_row_of_the_comparison_table(report):
    rows = evaluation.table_rows(METRICS)
    table = tabulate({"model": [report]}, rows)
    assert "| length of z_u ↓ |  | 3.000 |" in as_markdown(table, rows).splitlines()


def test_it_is_on_the_model_card_and_in_the_documentation():
    assert evaluation.card_lines(METRICS)["zu_norm.mean"] == "length of z_u"
    assert "| `zu_norm.mean` | mean length of z_u |" in evaluation.as_markdown(METRICS)


def test_a_search_can_aim_at_it(report):
    assert evaluation.parts_of(["zu_norm.mean"], METRICS) == ["norm"]
    assert evaluation.number(report, "zu_norm.mean") == 3.0
