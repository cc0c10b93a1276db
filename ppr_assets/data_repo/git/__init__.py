"""Run git, and read and write its objects. No remote, no work tree, and nothing of dumps."""
