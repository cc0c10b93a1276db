"""What a container runs at its start: whether its database is to be filled, and by which road, the
latest dump, an older one or the published records. How each of them is walked is ``restoring/``'s
and ``replaying/``'s work."""
