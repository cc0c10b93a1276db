"""The assets and their checks, a module for each; what is only observed stands in ``tables``.

An asset calls one operation. How outcomes are shown, and how a failure ends a step, stands above.
"""
