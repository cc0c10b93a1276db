-- What only PostgreSQL 18 knows.
CREATE TABLE shapes.virtual (
    a integer, twice integer GENERATED ALWAYS AS (a * 2) VIRTUAL, b text,
    "both" text GENERATED ALWAYS AS (b || a::text)
);
INSERT INTO shapes.virtual (a, b) VALUES (1, 'x'), (NULL, '\N');
CREATE TABLE shapes.virtual_only (a integer GENERATED ALWAYS AS (7) VIRTUAL);
INSERT INTO shapes.virtual_only DEFAULT VALUES;

CREATE TABLE shapes.new_constraints (
    a integer, b integer CONSTRAINT "b; is there" NOT NULL, c integer CONSTRAINT c_here NOT NULL NO INHERIT,
    CONSTRAINT small CHECK (b < 10) NOT ENFORCED,
    CONSTRAINT somewhere FOREIGN KEY (b) REFERENCES shapes.tree NOT ENFORCED
);
INSERT INTO shapes.new_constraints VALUES (NULL, 99, 1);
ALTER TABLE shapes.new_constraints ADD CONSTRAINT a_from_now NOT NULL a NOT VALID;

CREATE TABLE shapes.stay (
    room integer, during daterange, PRIMARY KEY (room, during WITHOUT OVERLAPS)
);
CREATE TABLE shapes.meal (
    room integer, during daterange, FOREIGN KEY (room, PERIOD during) REFERENCES shapes.stay (room, PERIOD during)
);
INSERT INTO shapes.stay VALUES (1, '[2026-01-01,2026-01-05)');
INSERT INTO shapes.meal VALUES (1, '[2026-01-02,2026-01-03)');
ALTER TABLE large ALTER bytes SET COMPRESSION pglz;
