"""What `deploy/` holds: each file is looked at by the program that it is written for, or run."""
