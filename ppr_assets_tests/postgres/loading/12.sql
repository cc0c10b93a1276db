-- Tables that load as they are published, and bad ones that do not. A column `nulled` is published
-- as NULL, and `replaced` by the text `withheld`; the rows of `hidden` and `june` are not.
SET search_path = public;

-- types
CREATE DOMAIN required AS text NOT NULL;
CREATE TABLE bad_required (nulled required);
INSERT INTO bad_required VALUES ('x');
CREATE DOMAIN filled AS text CHECK (VALUE IS NOT NULL);
CREATE TABLE bad_filled (nulled filled);
INSERT INTO bad_filled VALUES ('x');
CREATE DOMAIN address AS text CHECK (VALUE ~ '@');
CREATE TABLE bad_address (replaced address);
INSERT INTO bad_address VALUES ('a@b');
CREATE DOMAIN "Own address" AS address CHECK (VALUE <> 'x');
CREATE TABLE bad_own_address (replaced "Own address");
INSERT INTO bad_own_address VALUES ('a@b');
CREATE DOMAIN word AS text CHECK (VALUE !~ '@');
CREATE TABLE good_word (replaced word);
INSERT INTO good_word VALUES ('x');
CREATE DOMAIN later AS text;
ALTER DOMAIN later ADD CHECK (VALUE ~ '@') NOT VALID;
CREATE TABLE good_later (replaced later);
INSERT INTO good_later VALUES ('a@b');
CREATE DOMAIN short AS varchar(5);
CREATE TABLE bad_short (replaced short);
INSERT INTO bad_short VALUES ('x');
CREATE TABLE good_char (replaced char(8));
INSERT INTO good_char VALUES ('x');
CREATE TYPE mood AS ENUM ('glad');
CREATE TABLE bad_mood (replaced mood);
INSERT INTO bad_mood VALUES ('glad');
CREATE TYPE open_mood AS ENUM ('glad', 'withheld');
CREATE TABLE good_mood (replaced open_mood);
INSERT INTO good_mood VALUES ('glad');
CREATE TABLE bad_number (replaced int);
INSERT INTO bad_number VALUES (1);

-- checks
CREATE FUNCTION addressed(text) RETURNS bool IMMUTABLE LANGUAGE plpgsql
  AS 'BEGIN RETURN $1 LIKE ''%@%''; END';
CREATE TABLE bad_function (replaced text CHECK (public.addressed(replaced)));
INSERT INTO bad_function VALUES ('a@b');
CREATE FUNCTION asking(text) RETURNS bool IMMUTABLE LANGUAGE plpgsql
  AS 'BEGIN IF $1 NOT LIKE ''%@%'' THEN RAISE EXCEPTION ''no''; END IF; RETURN true; END';
CREATE TABLE bad_raising (replaced text CHECK (public.asking(replaced)));
INSERT INTO bad_raising VALUES ('a@b');
CREATE TABLE bad_cast (replaced text CHECK (replaced::int > 0));
INSERT INTO bad_cast VALUES ('1');
CREATE TABLE bad_check (id int, replaced char(3), nulled text, CHECK (id > 1 OR nulled = 'x'));
INSERT INTO bad_check VALUES (1, 'x', 'x');
CREATE TABLE good_check (id int, nulled text, CHECK (id > 1 OR nulled IS NULL OR nulled = 'x'));
INSERT INTO good_check VALUES (1, 'x');
CREATE TABLE good_nulls (id int, replaced text, CHECK (id < 2 OR replaced IS NULL));
INSERT INTO good_nulls VALUES (1, 'x'), (2, NULL);
CREATE TABLE good_unchecked (replaced text);
ALTER TABLE good_unchecked ADD CHECK (replaced ~ '@') NOT VALID;
INSERT INTO good_unchecked VALUES ('a@b');
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql
  AS 'BEGIN IF NEW.replaced = ''withheld'' THEN RAISE EXCEPTION ''no''; END IF; RETURN NEW; END';
CREATE TABLE good_trigger (replaced text);
CREATE TRIGGER no BEFORE INSERT ON good_trigger FOR EACH ROW EXECUTE FUNCTION refuse();
INSERT INTO good_trigger VALUES ('x');

-- unique indexes
CREATE TABLE bad_unique (replaced text UNIQUE);
INSERT INTO bad_unique VALUES ('x'), ('y');
CREATE TABLE bad_pair (place int, replaced text, UNIQUE (place, replaced));
INSERT INTO bad_pair VALUES (1, 'x'), (1, 'y');
CREATE TABLE bad_deferred (place int, replaced text,
  UNIQUE (place, replaced) DEFERRABLE INITIALLY DEFERRED);
INSERT INTO bad_deferred VALUES (1, 'x'), (1, 'y');
CREATE TABLE good_pair (id int, replaced text, UNIQUE (id, replaced));
INSERT INTO good_pair VALUES (1, 'x'), (2, 'y');
CREATE TABLE good_included (id int, replaced text, UNIQUE (id) INCLUDE (replaced));
INSERT INTO good_included VALUES (1, 'x'), (2, 'y');
CREATE TABLE good_unique_nulls (place int, nulled text UNIQUE, UNIQUE (place, nulled));
INSERT INTO good_unique_nulls VALUES (1, 'x'), (1, 'y');
CREATE TABLE bad_where (place int, replaced text);
CREATE UNIQUE INDEX ON bad_where (place) WHERE replaced = 'withheld';
INSERT INTO bad_where VALUES (1, 'x'), (1, 'y');
CREATE TABLE bad_where_null (place int, nulled text);
CREATE UNIQUE INDEX ON bad_where_null (place) WHERE nulled IS NULL;
INSERT INTO bad_where_null VALUES (1, 'x'), (1, 'y');
CREATE TABLE good_where (place int, replaced text, nulled text);
CREATE UNIQUE INDEX ON good_where (place) WHERE replaced = 'x';
CREATE UNIQUE INDEX ON good_where (replaced) WHERE place = 2;
INSERT INTO good_where VALUES (1, 'x'), (1, 'y'), (2, 'z');
CREATE TABLE bad_lower (replaced text);
CREATE UNIQUE INDEX ON bad_lower (lower(replaced) COLLATE "C");
INSERT INTO bad_lower VALUES ('x'), ('y');
CREATE TABLE bad_coalesced (nulled text);
CREATE UNIQUE INDEX ON bad_coalesced (coalesce(nulled, ''));
INSERT INTO bad_coalesced VALUES ('x'), ('y');
CREATE TABLE good_lower (nulled text);
CREATE UNIQUE INDEX ON good_lower (lower(nulled));
INSERT INTO good_lower VALUES ('x'), ('y');
CREATE TABLE bad_index (replaced text);
CREATE INDEX ON bad_index ((replaced::int));
INSERT INTO bad_index VALUES ('1');
CREATE TABLE good_index (replaced text);
CREATE INDEX ON good_index ((replaced::int)) WHERE replaced ~ '^\d+$';
INSERT INTO good_index VALUES ('1');

-- exclusion constraints
CREATE TABLE bad_excluded (place int, replaced text,
  EXCLUDE (place WITH =, replaced WITH OPERATOR(pg_catalog.=)));
INSERT INTO bad_excluded VALUES (1, 'x'), (1, 'y');
CREATE TABLE bad_excluded_where (id int, replaced text,
  EXCLUDE USING gist (int4range(id, 9) WITH &&) WHERE (replaced = 'withheld'));
INSERT INTO bad_excluded_where VALUES (1, 'x'), (2, 'y');
CREATE TABLE good_excluded (id int, nulled text, replaced text,
  EXCLUDE (id WITH =, replaced WITH =), EXCLUDE (nulled WITH =),
  EXCLUDE USING gist (int4range(id, 9) WITH &&) WHERE (replaced = 'x'));
INSERT INTO good_excluded VALUES (1, 'x', 'x'), (2, 'y', 'y');

-- generated columns
CREATE TABLE bad_computed (id int, nulled text,
  said text GENERATED ALWAYS AS (upper(nulled)) STORED NOT NULL);
INSERT INTO bad_computed VALUES (1, 'x');
CREATE TABLE bad_computed_where (id int, place text, nulled text,
  said text GENERATED ALWAYS AS (coalesce(nulled, place)) STORED NOT NULL);
INSERT INTO bad_computed_where VALUES (1, NULL, 'x'), (2, 'y', 'y');
CREATE TABLE bad_computed_unique (replaced text,
  said text GENERATED ALWAYS AS (upper(replaced)) STORED UNIQUE);
INSERT INTO bad_computed_unique VALUES ('x'), ('y');
CREATE TABLE bad_computed_check (id int, replaced text,
  many int GENERATED ALWAYS AS (length(replaced)) STORED CHECK (many < 8));
INSERT INTO bad_computed_check VALUES (1, 'x');
CREATE TABLE good_computed (id int, nulled text,
  said text GENERATED ALWAYS AS (coalesce(nulled, 'nobody')) STORED NOT NULL,
  call text GENERATED ALWAYS AS (lower(nulled)) STORED UNIQUE);
INSERT INTO good_computed VALUES (1, 'x'), (2, 'y');

-- partitions
CREATE TABLE listed (id int, replaced text) PARTITION BY LIST (replaced);
CREATE TABLE bad_listed PARTITION OF listed FOR VALUES IN ('x', 'y');
CREATE TABLE good_listed PARTITION OF listed DEFAULT;
INSERT INTO listed VALUES (1, 'x'), (2, 'z');
CREATE TABLE dated (id int, nulled text) PARTITION BY RANGE (lower(nulled));
CREATE TABLE bad_dated PARTITION OF dated FOR VALUES FROM ('a') TO ('n');
CREATE TABLE good_dated PARTITION OF dated DEFAULT;
INSERT INTO dated VALUES (1, 'b'), (2, 'z');
CREATE TABLE hashed (replaced text, id int) PARTITION BY HASH (replaced, id);
CREATE TABLE bad_hashed PARTITION OF hashed FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE bad_hashed_too PARTITION OF hashed FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO hashed SELECT 'x' || n, n FROM generate_series(1, 20) AS n;
CREATE TABLE by_id (id int, nulled text) PARTITION BY RANGE (id);
CREATE TABLE good_by_id PARTITION OF by_id FOR VALUES FROM (1) TO (9);
INSERT INTO by_id VALUES (1, 'x');

-- foreign keys
CREATE TABLE places (region text, number int, code text UNIQUE, PRIMARY KEY (region, number));
INSERT INTO places VALUES ('west', 1, 'a'), ('east', 1, 'b');
CREATE TABLE hidden (region text, number int, PRIMARY KEY (region, number));
INSERT INTO hidden VALUES ('west', 1), ('east', 1);
CREATE TABLE days (at date PRIMARY KEY) PARTITION BY RANGE (at);
CREATE TABLE may PARTITION OF days FOR VALUES FROM ('2026-05-01') TO ('2026-06-01');
CREATE TABLE june PARTITION OF days FOR VALUES FROM ('2026-06-01') TO ('2026-07-01');
INSERT INTO days VALUES ('2026-05-02'), ('2026-06-02');
CREATE TABLE bad_led (replaced text REFERENCES places (code));
INSERT INTO bad_led VALUES ('a');
CREATE TABLE bad_hidden (region text, number int,
  FOREIGN KEY (region, number) REFERENCES hidden DEFERRABLE INITIALLY DEFERRED);
INSERT INTO bad_hidden VALUES ('west', 1);
CREATE TABLE bad_full (nulled text, number int,
  FOREIGN KEY (nulled, number) REFERENCES places MATCH FULL);
INSERT INTO bad_full VALUES ('west', 1);
CREATE TABLE bad_parent (id int, replaced text, above int, other text, UNIQUE (id, replaced),
  FOREIGN KEY (above, other) REFERENCES bad_parent (id, replaced));
INSERT INTO bad_parent VALUES (1, 'x', NULL, NULL), (2, 'y', 1, 'x');
CREATE TABLE bad_day (at date REFERENCES days);
INSERT INTO bad_day VALUES ('2026-06-02');
CREATE TABLE good_parent (id text PRIMARY KEY, nulled text REFERENCES good_parent);
INSERT INTO good_parent VALUES ('x', NULL), ('y', 'x');
CREATE TABLE good_led (nulled text, number int, FOREIGN KEY (nulled, number) REFERENCES hidden);
INSERT INTO good_led VALUES ('west', 1);
CREATE TABLE good_led_unchecked (region text, number int);
INSERT INTO good_led_unchecked VALUES ('west', 1);
ALTER TABLE good_led_unchecked
  ADD FOREIGN KEY (region, number) REFERENCES hidden NOT VALID;
