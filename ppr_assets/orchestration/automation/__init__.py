"""What starts the assets: jobs, their schedules, sensors, and what the Launchpad offers.

Work is an operation's, and what a run records is an asset's.
"""
