-- What PostgreSQL words anew when it reads its own dump: each of these is dumped in other words
-- after a restore. Goes on top of the core tables.
ALTER TABLE service ADD kind varchar(20) DEFAULT 'a'
    CONSTRAINT known_kind CHECK (kind IN ('a', 'b'));
ALTER TABLE location ADD IF NOT EXISTS latitude numeric, ADD IF NOT EXISTS longitude numeric;
ALTER TABLE location ADD CONSTRAINT on_earth
    CHECK (latitude BETWEEN -90 AND 90 AND longitude BETWEEN -180 AND 180 AND latitude <> longitude);
CREATE DOMAIN size_of AS varchar(8) CHECK (value IN ('s', 'm', 'l'));

CREATE TABLE words (
    id int PRIMARY KEY,
    kind varchar(20),
    size size_of,
    common boolean GENERATED ALWAYS AS (kind IN ('a', 'b')) STORED,
    changed int DEFAULT 0
);
INSERT INTO words (id, kind, size) VALUES (1, 'a', 's'), (2, 'x', NULL);
CREATE INDEX words_common ON words (id) WHERE kind IN ('a', 'b');
CREATE INDEX words_by_kind ON words ((CASE WHEN kind IN ('a', 'b') THEN 1 ELSE 2 END));
CREATE VIEW meals AS SELECT id FROM words WHERE kind NOT IN ('x', 'y');
CREATE VIEW kinds_of (id, kind) AS VALUES (1, 'food'), (2, 'meals');
CREATE MATERIALIZED VIEW common_words AS SELECT id, kind FROM words WHERE kind IN ('a', 'b');
CREATE INDEX ON common_words (id) WHERE kind IN ('a', 'c');
ALTER TABLE words ENABLE ROW LEVEL SECURITY;
CREATE POLICY reading ON words USING (kind IN ('a', 'b')) WITH CHECK (kind NOT IN ('x'));
CREATE RULE quietly AS ON DELETE TO words WHERE old.kind IN ('a', 'b') DO ALSO NOTHING;
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN NEW.changed := OLD.changed + 1; RETURN NEW; END $$;
CREATE TRIGGER touched BEFORE UPDATE ON words FOR EACH ROW
    WHEN (new.kind IN ('a', 'b') AND new.id BETWEEN 1 AND 5 AND old.id BETWEEN 2 AND 6)
    EXECUTE FUNCTION touch();
CREATE STATISTICS words_known ON (kind IN ('a', 'b')), id FROM words;

-- Columns that came to parent and child in another order than a CREATE TABLE gives them.
CREATE TABLE parent (a int, b text CONSTRAINT parent_b_check CHECK (b BETWEEN 'a' AND 'b' AND b BETWEEN 'a' AND 'c'));
CREATE TABLE child (own int) INHERITS (parent);
ALTER TABLE parent ADD c varchar(5) CONSTRAINT parent_c_check CHECK (c IN ('a', 'b'));
ALTER TABLE parent ADD d int DEFAULT 7;
CREATE TABLE mixed (b text, own int, c varchar(5), a int, d int,
    CONSTRAINT parent_b_check CHECK (b BETWEEN 'a' AND 'b' AND b BETWEEN 'a' AND 'c'),
    CONSTRAINT parent_c_check CHECK (c IN ('a', 'b')));
ALTER TABLE mixed INHERIT parent;
CREATE TABLE grandchild (more int) INHERITS (mixed, child);
INSERT INTO parent VALUES (1, 'a', 'a', 1);
INSERT INTO child VALUES (2, 'b', 12, 'b', 2);
INSERT INTO mixed (b, own, c, a, d) VALUES ('a', 13, NULL, 3, 3);

CREATE TABLE years (at date, kind varchar(4) CONSTRAINT known CHECK (kind IN ('a', 'b')), n int)
    PARTITION BY RANGE (at);
CREATE TABLE year_2025 (n int, kind varchar(4), at date, CONSTRAINT known CHECK (kind IN ('a', 'b')));
ALTER TABLE years ATTACH PARTITION year_2025 FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE year_2026 PARTITION OF years FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE INDEX ON years (n) WHERE kind IN ('a', 'b');
ALTER TABLE years ADD late varchar(3) CHECK (late IN ('a', 'b') OR n BETWEEN 1 AND 2);
INSERT INTO years VALUES ('2025-05-05', 'a', 1, 'a'), ('2026-06-06', 'b', 2, NULL);
