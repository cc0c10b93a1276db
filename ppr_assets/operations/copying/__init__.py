"""Copies outside git of what was published: made, looked at, thinned out, and a data repository
built of them anew. How a place is written to is no part of it."""
