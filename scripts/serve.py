#!/usr/bin/env python3
"""`dvae serve` for users of the checkout: python scripts/serve.py --help."""

from dvae_tf.commands.command_line import main

if __name__ == "__main__":
    main("serve")
