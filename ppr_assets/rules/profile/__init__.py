"""What a dump holds beyond its counts: its form, what refuses it, what is worth a word.

Numbers about values and never a value, but for the names by which rows are grouped (scrapers,
states). Where they come from is ``plain_sql.profile``'s; here they are written, read and judged.

    columns     the profile of a dump and its form in the manifest
    guard       what refuses a dump, as the ratchet does
    bounds      what is usual for a number, learned from the nights before
    movements   every number held to its bounds, in words; the largest of them
    schema      what changed in the schema, in words
"""
