"""What a good model does: each claim with its bound, which a model keeps or misses."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from dvae_tf.evaluation.keys import entry, number

# How far above chance the class may be predicted from z_u.
ABOVE_CHANCE = 0.05
# How far below its accuracy on real examples the judge may be on those of the model.
BELOW_REAL = 0.02


@dataclasses.dataclass(frozen=True)
class Claim:
    """A claim about a model, and the bound within which its figure keeps it.

    Args:
        title: str, the claim in words.
        key: str, the dotted key of its figure in the report.
        bound: function of the report that returns the bound, a float.
        meaning: str, the bound in words.
        at_least: bool, whether the figure must be at least the bound rather than at most. Defaults
            to False.
        also: tuple of str, keys of other figures that the claim must hold for; the worst of all
            that were measured is judged. Defaults to none.
    """

    title: str
    key: str
    bound: Callable[[dict], float]
    meaning: str
    at_least: bool = False
    also: tuple[str, ...] = ()

    def figure(self, report: dict) -> float | None:
        """The worst of the claim's figures in a report; None if its own was not measured."""
        values = [entry(report, key) for key in (self.key, *self.also)]
        if values[0] is None:
            return None
        measured = [value for value in values if value is not None]
        # NaN stays NaN, which is within no bound.
        return float(np.min(measured) if self.at_least else np.max(measured))

    @property
    def side(self) -> str:
        """On which side of the bound the figure must be, in words."""
        return "at least" if self.at_least else "at most"

    def keeps(self, value: float, bound: float) -> bool:
        """Whether a figure is within its bound."""
        return bool(value >= bound if self.at_least else value <= bound)


class Verdict(NamedTuple):
    """What became of a claim.

    Args:
        claim: Claim.
        value, bound: floats, the figure and its bound.
        kept: bool.
    """

    claim: Claim
    value: float
    bound: float
    kept: bool


def _near_real(report):
    # A judge that has learnt nothing must not let others pass that have not either.
    majority = entry(report, "judge_majority") or 0.0
    blind = majority + ABOVE_CHANCE * (1.0 - majority)
    return max(number(report, "judge_accuracy") - BELOW_REAL, blind)


def _near_chance(report):
    return number(report, "zu_leakage.chance") + ABOVE_CHANCE


def _near_majority(report):
    majority, chance = number(report, "zu_leakage.majority"), number(report, "zu_leakage.chance")
    # The same part of what is left to read: a margin of 0.05 above 0.97 could not be missed.
    return majority + ABOVE_CHANCE * (1.0 - majority) / (1.0 - chance)


_NEAR_REAL = (
    f"the judge's accuracy on real examples, less {BELOW_REAL}, but at least the share of the most "
    f"frequent class and {ABOVE_CHANCE} of what is left above it"
)
_NEAR_CHANCE = f"the accuracy of guessing, 1 / C, and {ABOVE_CHANCE} more"

CLAIMS = (
    Claim("z_s tells the class", "zs_accuracy", _near_real, _NEAR_REAL, at_least=True),
    Claim(
        "z_u does not tell it: means, strongest of six probes",
        "zu_leakage.balanced.mean.strongest",
        _near_chance,
        _NEAR_CHANCE,
    ),
    Claim(
        "z_u does not tell it: samples, strongest of six probes",
        "zu_leakage.balanced.sample.strongest",
        _near_chance,
        _NEAR_CHANCE,
    ),
    Claim(
        "z_u does not tell it: samples, Bayes' rule by estimated densities",
        "zu_density_bound.optimal",
        _near_majority,
        f"the share of the most frequent class, and {ABOVE_CHANCE} more (less by as much as that "
        "share is above 1 / C)",
        also=("zu_density_bound.reached",),
    ),
    Claim(
        "z_u is as its prior: samples outside the 99 % ball of N(0, I)",
        "zu_prior.sample.test.outside",
        lambda report: 0.02,
        "twice the share of N(0, I) itself",
    ),
    Claim(
        "z_u fills its prior: size of samples, ‖z_u‖² / D",
        "zu_prior.sample.test.norm",
        lambda report: 0.9,
        "0.9 of that of N(0, I), for mean and median",
        at_least=True,
        also=("zu_prior.sample.test.median",),
    ),
    Claim(
        "z_u is used: reconstruction error",
        "zu_alive.reconstruction_mse.true",
        lambda report: 0.6 * number(report, "zu_alive.reconstruction_mse.prior"),
        "0.6 of the error with z_u from the prior",
    ),
    Claim(
        "reconstructions show their class",
        "reconstruction_agreement",
        _near_real,
        _NEAR_REAL,
        at_least=True,
    ),
    Claim(
        "swaps show the class of z_s, lowest of two judges",
        "swap_agreement",
        lambda report: 0.95,
        "0.95",
        at_least=True,
    ),
    Claim(
        "swaps keep the style: share that is lost",
        "swap_style_distance",
        lambda report: min(number(report, "swap_style_distance_floor") + 0.1, 0.5),
        "what reconstructions lose, and 0.1 more; at most half",
    ),
    Claim(
        "samples show the class asked for",
        "sample_consistency",
        _near_real,
        _NEAR_REAL,
        at_least=True,
    ),
    Claim(
        "samples are no copies: share suspiciously near a training example",
        "generation.copies.suspect_share",
        lambda report: 0.1,
        "twice the share of held-out examples",
        also=("generation.copies.features.suspect_share",),
    ),
    Claim(
        "samples of a class differ as real ones do: distance of their features",
        "generation.samples.diversity.features",
        lambda report: 0.8 * number(report, "generation.real.diversity.features"),
        "0.8 of that of real examples",
        at_least=True,
    ),
)


def verdicts(report: dict, claims: Sequence[Claim] = CLAIMS) -> list[Verdict]:
    """Judges a model by its report.

    Args:
        report: dict, the content of report.json.
        claims: sequence of Claim. Defaults to those of the package.

    Returns:
        list of Verdict, of the claims whose figures were measured.

    Examples:
        >>> [found] = verdicts({"zs_accuracy": 0.9, "judge_accuracy": 0.91})
        >>> found.claim.title, round(found.bound, 2), found.kept
        ('z_s tells the class', 0.89, True)
    """
    found = []
    for claim in claims:
        value = claim.figure(report)
        try:
            bound = claim.bound(report)
        except ValueError:  # What the bound refers to was not measured.
            continue
        if value is not None:
            found.append(Verdict(claim, value, bound, claim.keeps(value, bound)))
    return found


def claims_as_markdown(reports: dict, claims: Sequence[Claim] = CLAIMS) -> str:
    """Formats a table of claims: one row each, figure, bound and verdict of each model.

    Args:
        reports: dict of model name to list of reports, one per seed; figures and bounds are means
            over the seeds.
        claims: sequence of Claim. Defaults to those of the package.

    Returns:
        str.

    Examples:
        >>> good = {"zs_accuracy": 0.9, "judge_accuracy": 0.91}
        >>> print(claims_as_markdown({"ours": [good]}), end="")
        | claim | ours |
        |---|---|
        | z_s tells the class ↑ | 0.900 (0.890) |
    """
    columns = {
        name: [{v.claim: v for v in verdicts(report, claims)} for report in column]
        for name, column in reports.items()
    }
    lines = [f"| claim | {' | '.join(columns)} |", "|---" * (1 + len(columns)) + "|"]
    for claim in claims:
        cells = [_cell(claim, [found.get(claim) for found in of]) for of in columns.values()]
        if any(cells):
            arrow = "↑" if claim.at_least else "↓"
            lines.append(f"| {claim.title} {arrow} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _cell(claim, found):
    if None in found:
        return ""
    value, bound = (sum(column) / len(found) for column in list(zip(*found, strict=True))[1:3])
    text = f"{value:.3f} ({bound:.3f})"
    return text if claim.keeps(value, bound) else f"**{text}: missed**"
