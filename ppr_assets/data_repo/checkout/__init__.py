"""What lies on the disk beside the history: work trees, index, lock, staged and set aside dumps.

What is committed is read in ``history``.
"""
