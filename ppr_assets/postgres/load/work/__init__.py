"""What the sessions of a load do, one task after the other; what is to be done, plan/ decides."""
