"""Tests, folder by folder as in ppr_assets; fixtures stand in ``fix_<thing>.py``."""
