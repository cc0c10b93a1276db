"""Pure rules: no input, no output, standard library only; so tests can try all that may come."""
