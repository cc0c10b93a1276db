"""A dump's tables as tables: what their columns are called and hold, and the values of rows. What
somebody does with them belongs to ``operations``."""
