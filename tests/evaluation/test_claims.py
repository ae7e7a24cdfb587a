"""What holds for a model: figures beside their bounds."""

import pathlib

import pytest

from dvae_tf.evaluation import CLAIMS, claims_as_markdown, meaning, verdicts

DOCS = pathlib.Path(__file__).parents[2] / "docs"
# A model that keeps every claim, by a little.
GOOD = {
    "judge_accuracy": 0.92,
    "zs_accuracy": 0.91,
    "reconstruction_agreement": 0.905,
    "sample_consistency": 0.99,
    "swap_agreement": 0.96,
    "swap_style_distance": 0.45,
    "swap_style_distance_floor": 0.4,
    "zu_leakage": {
        "balanced": {"mean": {"strongest": 0.14}, "sample": {"strongest": 0.12}},
        "majority": 0.1,
        "chance": 0.1,
    },
    "zu_density_bound": {"optimal": 0.13, "reached": 0.11},
    "zu_prior": {"sample": {"test": {"outside": 0.015, "norm": 1.0}}},
    "zu_alive": {"reconstruction_mse": {"true": 0.1, "prior": 0.4}},
    "generation": {
        "copies": {"suspect_share": 0.05, "features": {"suspect_share": 0.06}},
        "samples": {"diversity": {"features": 5.0}},
        "real": {"diversity": {"features": 6.0}},
    },
}


def leaking(mean=0.14, sample=0.12, **others):
    found = {"mean": {"strongest": mean}, "sample": {"strongest": sample}}
    return {"zu_leakage": GOOD["zu_leakage"] | others | {"balanced": found}}


# What breaks each claim, in their order.
BAD = [
    {"zs_accuracy": 0.89},
    leaking(mean=0.16),
    leaking(sample=0.2),
    {"zu_density_bound": {"optimal": 0.3}},
    {"zu_prior": {"sample": {"test": {"outside": 0.2, "norm": 1.0}}}},
    {"zu_prior": {"sample": {"test": {"outside": 0.0, "norm": 0.3}}}},
    {"zu_alive": {"reconstruction_mse": {"true": 0.3, "prior": 0.4}}},
    {"reconstruction_agreement": 0.17},
    {"swap_agreement": 0.9},
    {"swap_style_distance": 0.7},
    {"sample_consistency": 0.7},
    {"generation": GOOD["generation"] | {"copies": {"suspect_share": 1.0}}},
    {"generation": GOOD["generation"] | {"samples": {"diversity": {"features": 0.1}}}},
]
# Other figures and bounds that break a claim: its key, the report.
ALSO_BAD = [
    ("zu_density_bound.optimal", {"zu_density_bound": {"optimal": 0.13, "reached": 0.3}}),
    (
        "generation.copies.suspect_share",
        {
            "generation": GOOD["generation"]
            | {"copies": {"suspect_share": 0.05, "features": {"suspect_share": 0.9}}}
        },
    ),
    # Whoever cannot encode a reconstruction again does not keep the style by losing it as well.
    ("swap_style_distance", {"swap_style_distance": 1.0, "swap_style_distance_floor": 1.0}),
    # z_u tells the class of imbalanced data, and the bounds can be missed.
    (
        "zu_leakage.balanced.mean.strongest",
        leaking(mean=1.0, majority=0.97, chance=0.5),
    ),
    (
        "zu_density_bound.optimal",
        {"zu_leakage": {"majority": 0.97, "chance": 0.5}, "zu_density_bound": {"optimal": 1.0}},
    ),
]


def test_a_good_model_keeps_all():
    assert [found.claim for found in verdicts(GOOD)] == list(CLAIMS)
    assert all(found.kept for found in verdicts(GOOD))


@pytest.mark.parametrize("number", range(len(CLAIMS)), ids=lambda number: CLAIMS[number].key)
def test_each_claim_can_be_missed_alone(number):
    missed = [found.claim for found in verdicts(GOOD | BAD[number]) if not found.kept]
    assert missed == [CLAIMS[number]]


@pytest.mark.parametrize(("key", "report"), ALSO_BAD)
def test_no_claim_is_kept_by_one_good_figure_or_a_loose_bound(key, report):
    assert key in [found.claim.key for found in verdicts(GOOD | report) if not found.kept]


def test_what_was_not_measured_is_left_out():
    assert verdicts({}) == []
    assert [v.claim.key for v in verdicts({"swap_agreement": 1.0})] == ["swap_agreement"]
    assert claims_as_markdown({"cgan": [{"judge_accuracy": 0.9}]}).count("\n") == 2


def test_the_table_has_means_over_seeds_and_says_what_is_missed():
    low, high = {"swap_agreement": 0.9}, {"swap_agreement": 0.98}
    table = claims_as_markdown({"one": [low], "both": [low, high]})
    assert "| **0.900 (0.950): missed** | **0.940 (0.950): missed** |" in table
    assert "| 0.980 (0.950) |" in claims_as_markdown({"one": [high]})


def test_figures_of_claims_are_measured_and_their_bounds_documented():
    documented = " ".join((DOCS / "evaluation.md").read_text().split())
    for claim in CLAIMS:
        assert meaning(claim.key)
        figures = ", ".join(f"`{key}`" for key in (claim.key, *claim.also))
        assert f"| {claim.title} | {figures} |" in documented
        assert claim.meaning in documented


def test_where_the_judge_knows_nothing_no_claim_that_it_judges_is_kept():
    ignorant = GOOD | {"judge_accuracy": 0.3, "judge_majority": 1 / 3, "zs_accuracy": 0.34}
    kept = {verdict.claim.key: verdict.kept for verdict in verdicts(ignorant)}
    assert not kept["zs_accuracy"]
    assert kept["sample_consistency"]  # 0.99 is far above any chance.
