"""The days of published records, as Dagster counts them: what a replay tells is told by day.

What is published on a day is an asset, and stands with the other external ones.
"""

from __future__ import annotations

import dagster as dg

DAYS = dg.DailyPartitionsDefinition(start_date="2025-01-01", end_offset=1)
"""In UTC, from before the first records were published until today."""

PUBLISHED_DAY = dg.AssetKey("published_day")
