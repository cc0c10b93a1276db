"""Property tests: as many cases as usual, but no time limit for one, or for making it up, on
machines that are busy."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")
