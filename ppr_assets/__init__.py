"""Guarded, proven and recorded backups of Pantry Pirate Radio's database, as Dagster assets."""

__version__ = "0.1.0"  # read by the build as well; a checkout that is not installed knows it too
