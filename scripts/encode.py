#!/usr/bin/env python3
"""`dvae encode` for users of the checkout: python scripts/encode.py --help."""

from dvae_tf.commands.command_line import main

if __name__ == "__main__":
    main("encode")
