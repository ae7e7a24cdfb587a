"""Commands: what a user asks for at the shell, each a function."""
