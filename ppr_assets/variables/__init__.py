"""The environment's variables: their names, defaults, and what each may be. Reads none of them."""
