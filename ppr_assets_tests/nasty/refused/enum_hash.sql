-- The hash of an enum's value depends on its OID, so a newer pg_dump loads these through the root.
CREATE TABLE shapes.by_mood (mood kinds.mood NOT NULL, n integer) PARTITION BY HASH (mood);
CREATE TABLE shapes.by_mood_0 PARTITION OF shapes.by_mood FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE shapes.by_mood_1 PARTITION OF shapes.by_mood FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO shapes.by_mood SELECT mood, i FROM unnest(enum_range(NULL::kinds.mood)) mood, generate_series(1, 5) i;
