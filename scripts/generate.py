#!/usr/bin/env python3
"""Draws images of chosen classes with a trained model.

Without arguments: four images of each class with the newest run, into samples.png.
"""

from dvae_tf.commands.command_line import Parser, run


def parse_arguments():
    parser = Parser(description=__doc__)
    parser.add_argument("run", nargs="?", help="folder of the run (default: the newest)")
    parser.add_argument(
        "--label", nargs="+", metavar="CLASS", help="class numbers or names (default: all)"
    )
    parser.add_argument("--count", type=int, help="images of each class (default: 16, all: 4)")
    parser.add_argument(
        "--output",
        default="samples.png",
        help="a .png file (one picture), a .npy file (an array), or a folder (a PNG file for each "
        "image) (default: samples.png)",
    )
    parser.add_argument(
        "--temperature", type=float, default=1.0, help="0: the class's mean (default: 1)"
    )
    parser.add_argument("--seed", type=int, default=0, help="same seed, same images (default: 0)")
    return parser.parse_args()


def main(arguments):
    from dvae_tf.commands.generate import generate

    written = generate(
        arguments.run,
        arguments.label,
        arguments.count,
        arguments.output,
        arguments.temperature,
        arguments.seed,
    )
    print(written)


if __name__ == "__main__":
    run(parse_arguments, main)
