"""The outside world "git": the clone of the data repository and its remote, without any policy.

Nothing here decides whether a dump may be published. Commits are built beside the work tree and
appear by one compare-and-swap of the branch; other people's work in the clone stays theirs.
"""
