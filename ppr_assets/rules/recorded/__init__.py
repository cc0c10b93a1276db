"""What a dump's manifest says, and how far it is to be trusted. How a manifest is stored or read is
no part of it."""
