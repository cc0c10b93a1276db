"""A dump as a file: read, put into its canonical form, cut into parts, verified.

No server and no git: what a dump says is known from its bytes. What a database makes of it belongs
to ``postgres``, where it lies in a history to ``data_repo``.
"""
