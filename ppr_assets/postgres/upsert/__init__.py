"""Rows that come from elsewhere than a dump are staged, and then inserted or brought up to date, by
statements over whole tables. What the rows say is decided by those who bring them."""
