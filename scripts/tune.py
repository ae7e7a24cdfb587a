#!/usr/bin/env python3
"""`dvae tune` for users of the checkout: python scripts/tune.py --help."""

from dvae_tf.commands.command_line import main

if __name__ == "__main__":
    main("tune")
