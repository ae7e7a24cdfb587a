#!/usr/bin/env python3
"""Searches for better settings of the recipe with keras-tuner, on validation data.

Started again, it goes on where it was stopped. The best settings are written to best.json, which
scripts/train.py --settings takes.
"""

from dvae_tf.commands.command_line import Parser, run


def parse_arguments():
    parser = Parser(description=__doc__)
    parser.add_argument(
        "--dataset", default="digits", help="as in scripts/train.py (default: digits)"
    )
    parser.add_argument("--trials", type=int, default=12, help="settings to try (default: 12)")
    aim = parser.add_mutually_exclusive_group()
    aim.add_argument(
        "--minimise",
        metavar="FIGURE",
        default="reconstruction_mse",
        help="keys of report.json, such as generation.samples.fid (default: reconstruction_mse)",
    )
    aim.add_argument("--maximise", metavar="FIGURE", help="such as sample_consistency")
    parser.add_argument(
        "--bounds",
        nargs="*",
        default=["sample_consistency>=0.9"],
        metavar="FIGURE<=NUMBER",
        help="what every good run keeps, such as 'zu_leakage.mean.knn<=0.15' "
        "(default: 'sample_consistency>=0.9')",
    )
    parser.add_argument("--epochs", type=int, default=20, help="of each run (default: 20)")
    parser.add_argument(
        "--algorithm", default="bayesian", help="bayesian or hyperband (default: bayesian)"
    )
    parser.add_argument(
        "--model", default="disentangled_vae_gan", help="(default: disentangled_vae_gan)"
    )
    parser.add_argument(
        "--preset", default="compact", help="toy, compact, paper (default: compact)"
    )
    parser.add_argument("--recipe", default="balanced", help="to depart from (default: balanced)")
    parser.add_argument("--batch-size", type=int, default=96, help="examples a step (default: 96)")
    parser.add_argument("--seed", type=int, default=0, help="of everything random (default: 0)")
    parser.add_argument("--output", help="folder (default: runs/tune-DATASET)")
    return parser.parse_args()


def main(arguments):
    arguments = vars(arguments)
    from dvae_tf.commands.tune import Aim, search

    least, most = arguments.pop("minimise"), arguments.pop("maximise")
    aim = Aim(most or least, bool(most), tuple(arguments.pop("bounds")))
    rows = search(aim=aim, **arguments)
    for row in rows:
        figures = "  ".join(f"{key} {row[key]:.4g}" for key in aim.keys)
        print(f"{row['trial']:8s}  {figures}")


if __name__ == "__main__":
    run(parse_arguments, main)
