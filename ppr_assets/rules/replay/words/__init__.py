"""Names, addresses, numbers, times and points as somebody published them: read, and compared.
Whose word stands is decided in ``merging/`` and ``rows/``."""
