"""Names, addresses, numbers, times and points as somebody published them: read, and compared."""
