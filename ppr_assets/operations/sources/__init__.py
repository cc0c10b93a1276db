"""Find the dump that is meant, and have its bytes in a file.

The data repository is read at a commit, never as it happens to lie in the work tree: a file there
is only used when it is the committed one's size and name, and every dump is verified before use.
"""
