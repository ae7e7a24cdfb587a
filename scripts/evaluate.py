#!/usr/bin/env python3
"""`dvae evaluate` for users of the checkout: python scripts/evaluate.py --help."""

from dvae_tf.commands.command_line import main

if __name__ == "__main__":
    main("evaluate")
