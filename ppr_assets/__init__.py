"""Guarded, proven and recorded backups of Pantry Pirate Radio's database, as Dagster assets."""
