"""Pure rules: no input or output, standard library only, so that they can be tested for all cases."""
