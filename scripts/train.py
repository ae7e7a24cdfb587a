#!/usr/bin/env python3
"""`dvae train` for users of the checkout: python scripts/train.py --help."""

from dvae_tf.commands.command_line import main

if __name__ == "__main__":
    main("train")
