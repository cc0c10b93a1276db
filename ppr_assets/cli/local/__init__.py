"""For a laptop, with a server of its own: open, demo, dev. No night and no container needs them."""
