"""`python -m dvae_tf`: the command `dvae`."""

from dvae_tf.commands.command_line import main

main()
