"""Whole databases: made, looked at, renamed and dropped from outside, in one maintenance session.

Belongs here: what is done *to* a database. What is done in one (loading, reading) does not.
"""
