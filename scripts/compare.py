#!/usr/bin/env python3
"""`dvae compare` for users of the checkout: python scripts/compare.py --help."""

from dvae_tf.commands.command_line import main

if __name__ == "__main__":
    main("compare")
