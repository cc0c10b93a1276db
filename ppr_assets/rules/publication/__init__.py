"""What may be published: the policy, and what it means for the tables of one database. Values that
look like secrets are ``finds/``'s work."""
