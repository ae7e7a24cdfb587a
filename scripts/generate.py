#!/usr/bin/env python3
"""`dvae generate` for users of the checkout: python scripts/generate.py --help."""

from dvae_tf.commands.command_line import main

if __name__ == "__main__":
    main("generate")
