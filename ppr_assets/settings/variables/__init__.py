"""One variable: what its text may be, what that becomes, and what must not be shown of it.

Which variables there are stands in ``groups``.
"""
