"""What starts the assets: jobs, their schedules, sensors, and what the Launchpad offers.

Work belongs to an operation, and what a run records to an asset.
"""
