"""Pure rules: no input, no output, so that tests can try all that may come; of libraries the values
of msgspec alone. Where facts come from, and what follows from a rule, stands above.
"""
