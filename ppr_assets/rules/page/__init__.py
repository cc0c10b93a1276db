"""The page that stands beside the dumps: what is known of all nights, and how it is shown.

Where that comes from, and who writes the files, is no part of it."""
