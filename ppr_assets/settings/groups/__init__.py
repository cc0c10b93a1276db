"""The groups of variables, each with the fields that they fill: a new one goes beside its kin.

What a text may be stands in ``variables``, and nothing here reads the environment.
"""
