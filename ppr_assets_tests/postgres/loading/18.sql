-- Since PostgreSQL 18.
CREATE TABLE good_unenforced (replaced text, CHECK (replaced ~ '@') NOT ENFORCED);
INSERT INTO good_unenforced VALUES ('a@b');
CREATE TABLE good_perhaps_null (nulled text);
ALTER TABLE good_perhaps_null ADD NOT NULL nulled NOT VALID;
INSERT INTO good_perhaps_null VALUES ('x');
CREATE TABLE bad_virtual (id int, nulled text,
  said text GENERATED ALWAYS AS (upper(nulled)) VIRTUAL NOT NULL);
INSERT INTO bad_virtual VALUES (1, 'x');
