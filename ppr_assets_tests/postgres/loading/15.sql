-- Since PostgreSQL 15.
CREATE TABLE bad_null (nulled text, UNIQUE NULLS NOT DISTINCT (nulled));
INSERT INTO bad_null VALUES ('x'), ('y');
CREATE TABLE bad_null_pair (place int, nulled text, UNIQUE NULLS NOT DISTINCT (place, nulled));
INSERT INTO bad_null_pair VALUES (1, 'x'), (1, 'y');
CREATE TABLE good_null_pair (id int, nulled text, UNIQUE NULLS NOT DISTINCT (id, nulled));
INSERT INTO good_null_pair VALUES (1, 'x'), (2, 'y');
