#!/usr/bin/env python3
"""`dvae explore` for users of the checkout: python scripts/explore.py --help."""

from dvae_tf.commands.command_line import main

if __name__ == "__main__":
    main("explore")
