"""A trained model in the formats in which it leaves Python."""
