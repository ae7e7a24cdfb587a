#!/usr/bin/env python3
"""Measures a trained model as a sceptic would: report.json, report.html and pictures.

Without arguments: all figures of the newest run.
"""

from dvae_tf.commands.command_line import Parser, run


def parse_arguments():
    parser = Parser(description=__doc__)
    parser.add_argument("run", nargs="?", help="folder of the run (default: the newest)")
    parser.add_argument(
        "--parts",
        nargs="+",
        metavar="PART",
        help="judge, classification, reconstruction, samples, swap, leakage, activity, factors, "
        "generation (default: all)",
    )
    return parser.parse_args()


def main(arguments):
    from dvae_tf.commands.evaluate import measure

    measure(arguments.run, arguments.parts)


if __name__ == "__main__":
    run(parse_arguments, main)
