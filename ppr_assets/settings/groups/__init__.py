"""The groups of variables, each with the fields that they fill: a new one goes beside its kin.

What the texts of several groups may be stands in ``kinds``, and nothing here reads the environment.
"""
