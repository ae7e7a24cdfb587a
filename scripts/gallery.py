#!/usr/bin/env python3
"""Shows trained models on one web page: samples, swaps, walks, filled holes.

The page is one file and loads nothing from elsewhere. By default it shows the newest run, or
the model that ships.
"""

from dvae_tf.commands.command_line import Parser, run


def parse_arguments():
    parser = Parser(description=__doc__)
    parser.add_argument(
        "chosen", nargs="*", metavar="RUN", help="folders of runs (default: the newest)"
    )
    parser.add_argument("--output", default="gallery.html", help="(default: gallery.html)")
    parser.add_argument("--seed", type=int, default=0, help="of samples and images (default: 0)")
    return parser.parse_args()


def main(arguments):
    from dvae_tf.commands.gallery import gallery

    print(gallery(**vars(arguments)))


if __name__ == "__main__":
    run(parse_arguments, main)
