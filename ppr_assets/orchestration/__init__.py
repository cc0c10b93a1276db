"""Dagster, thin: each module holds one concept and calls operations for the work itself."""
