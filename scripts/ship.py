#!/usr/bin/env python3
"""Makes the model that ships of a run: saved_models/NAME, exported, with card and checksums.

Without arguments: of the newest run, as digits. `make shipped` trains that run first.
"""

from dvae_tf.commands.command_line import Parser, run


def parse_arguments():
    parser = Parser(description=__doc__)
    parser.add_argument("run", nargs="?", help="folder of the run (default: the newest)")
    parser.add_argument("--name", default="digits", help="folder below saved_models (digits)")
    return parser.parse_args()


def main(arguments):
    from dvae_tf.runs.shipped import ship

    print(ship(arguments.run, arguments.name))


if __name__ == "__main__":
    run(parse_arguments, main)
