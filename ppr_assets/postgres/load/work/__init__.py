"""What the sessions of a load do, one task after the other; which there are, others decide."""
