#!/usr/bin/env python3
"""Shows what a trained model does with images: pictures of reconstructions, swaps, walks.

The images are those of the run's test split, or your own (--images). Samples are drawn by
scripts/generate.py.
"""

from dvae_tf.commands.command_line import Parser, run


def parse_arguments():
    parser = Parser(description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")

    def add(name, text, images=True):
        verb = verbs.add_parser(name, help=text, description=text)
        verb.add_argument("run", nargs="?", help="folder of the run (default: the newest)")
        verb.add_argument("--output", help=f".png or .npy file (default: {name}.png)")
        verb.add_argument("--count", type=int, help="rows, or images in the row")
        verb.add_argument("--seed", type=int, default=0, help="of the choice (default: 0)")
        if images:
            verb.add_argument("--images", nargs="+", metavar="FILE", dest="files")
        return verb

    add("reconstruct", "images above their reconstructions")
    add("classify", "images with the class that the mixture posterior names")
    verb = add("swap", "class code z_s of the rows' images, style code z_u of the columns'")
    verb.add_argument("--columns", type=int, help="donors of z_u (default: 8)")
    for name, text in (
        ("interpolate-class", "z_s from class to class, z_u fixed"),
        ("interpolate-style", "z_u from image to image, z_s fixed"),
    ):
        verb = add(name, text)
        verb.add_argument("--steps", type=int, help="images a walk (default: 8)")
        verb.add_argument("--path", choices=("straight", "spherical"))
        if name == "interpolate-class":
            verb.add_argument("--to", metavar="CLASS", help="number or name (default: the next)")
    verb = add("traverse", "one dimension of z_u from end to end")
    verb.add_argument("--dimension", type=int, help="(default: the most active)")
    verb.add_argument("--steps", type=int, help="images a walk (default: 7)")
    verb.add_argument("--extent", type=float, help="ends, the prior's deviation is 1 (default: 3)")
    verb = add("inpaint", "images, with a hole, and with the hole filled")
    verb.add_argument("--hole", type=int, help="side of the square in pixels (default: half)")
    verb.add_argument("--mask", metavar="FILE", help="an image that is white in the hole")
    verb.add_argument("--iterations", type=int, help="(default: 10)")
    verb = add("nearest", "samples beside the training images nearest to them", images=False)
    verb.add_argument("--neighbours", type=int, help="(default: 5)")
    return parser.parse_args()


def main(arguments):
    from dvae_tf.commands.explore import explore

    print(explore(**vars(arguments)))


if __name__ == "__main__":
    run(parse_arguments, main)
