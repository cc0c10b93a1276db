"""What a replay decides: how published words are read, which records tell of the same organization
or place, whose word stands, and the ids. Pure; reading bytes into records is ``records/``'s work,
and loading them is no part of it."""
