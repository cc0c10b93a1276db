"""The remote: its address and credentials, what it has, what it takes, and why it does not."""
