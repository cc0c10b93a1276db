"""How things stand, for a person and for what watches: status, doctor. Nothing is changed here.

What looks into dumps stands in ``dumps``.
"""
