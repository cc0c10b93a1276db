"""How things stand, for a person and for what watches: status, doctor, look, metrics, alert.

Nothing is changed here, and what looks into dumps stands in ``dumps``.
"""
