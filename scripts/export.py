#!/usr/bin/env python3
"""`dvae export` for users of the checkout: python scripts/export.py --help."""

from dvae_tf.commands.command_line import main

if __name__ == "__main__":
    main("export")
