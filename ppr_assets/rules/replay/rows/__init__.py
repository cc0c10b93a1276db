"""The rows of one merged organization or place, by HSDS table and column. What is one is decided in
``merging/``."""
