#!/usr/bin/env python3
"""Sets models side by side under the same budget: table.md, table.json and a picture of samples.

Trains and measures what is not there yet, one run at a time; started again, it goes on.
"""

from dvae_tf.commands.command_line import STOPPED, Parser, run

MODELS = ("cvae", "cgan", "cvae_gan", "disentangled_vae", "disentangled_vae_gan")


def parse_arguments():
    parser = Parser(description=__doc__)
    parser.add_argument(
        "--dataset", default="digits", help="as in scripts/train.py (default: digits)"
    )
    parser.add_argument(
        "--models",
        nargs="+",
        default=MODELS,
        metavar="MODEL",
        help=f"{', '.join(MODELS)} (default: all); or MODEL:RECIPE, such as "
        "'disentangled_vae:balanced without flow'",
    )
    parser.add_argument("--epochs", type=int, default=40, help="of each run (default: 40)")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0], help="(default: 0)")
    parser.add_argument(
        "--preset",
        default="compact",
        help="toy, compact, paper, or 'compact with width=2' (default: compact)",
    )
    parser.add_argument("--recipe", default="balanced", help="training recipe (default: balanced)")
    parser.add_argument("--batch-size", type=int, default=96, help="examples a step (default: 96)")
    parser.add_argument("--size", type=int, help="side that images are resized to, in pixels")
    parser.add_argument("--latent-dim-u", type=int, help="size of z_u (default: the preset's)")
    parser.add_argument("--dtype-policy", help="as in scripts/train.py (default: float32)")
    parser.add_argument("--output", help="folder (default: runs/compare-DATASET)")
    return parser.parse_args()


def main(arguments):
    from dvae_tf.commands.compare import compare

    table = compare(**vars(arguments))
    return STOPPED if table is None else 0


if __name__ == "__main__":
    run(parse_arguments, main)
