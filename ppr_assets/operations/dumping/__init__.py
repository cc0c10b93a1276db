"""A night's dump, before anything of it is published: counted, judged, written, proven, staged.

What the gate and the policy say stands in ``publishing``, how a proof restores in ``restoring``.
"""
