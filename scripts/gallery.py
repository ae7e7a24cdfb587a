#!/usr/bin/env python3
"""`dvae gallery` for users of the checkout: python scripts/gallery.py --help."""

from dvae_tf.commands.command_line import main

if __name__ == "__main__":
    main("gallery")
