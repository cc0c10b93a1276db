"""The verbs: plain functions that do one whole thing and return what happened, without Dagster."""
