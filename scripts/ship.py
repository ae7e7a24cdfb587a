#!/usr/bin/env python3
"""`dvae ship` for users of the checkout: python scripts/ship.py --help."""

from dvae_tf.commands.command_line import main

if __name__ == "__main__":
    main("ship")
