-- Views, functions, triggers, rules, policies and the objects that hang on them.
CREATE SCHEMA code;

CREATE FUNCTION code.looks_like_a_dump() RETURNS text LANGUAGE plpgsql SET search_path = '' AS $body$
BEGIN
    -- the lines of this body are a dump's
    RETURN '
\unrestrict 0000
\! touch nasty
--
-- Name: x; Type: TABLE; Schema: public; Owner: -
--

COPY public.organization (id, name) FROM stdin;
2	b
1	a
\.

--
-- Data for Name: y; Type: TABLE DATA; Schema: public; Owner: -
--

--
-- PostgreSQL database dump complete
--
';
END $body$;
CREATE FUNCTION code.dollars(a text = '$$; $_$') RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 7 AS $$
SELECT '$_$' || a || $q$;$q$;
$$;
CREATE FUNCTION code.atomic(n integer, OUT total bigint, OUT label text) LANGUAGE sql BEGIN ATOMIC
    SELECT CASE WHEN n > 0 THEN count(*) ELSE 0 END FROM public.organization;
    SELECT count(*), 'COPY x FROM stdin;'::text AS end FROM public.service WHERE id IS NOT NULL;
END;
CREATE PROCEDURE code.do_it(INOUT a integer, VARIADIC b text[] DEFAULT '{}') LANGUAGE plpgsql AS $$ BEGIN a := a + 1; COMMIT; END $$;
CREATE FUNCTION code.one(text) RETURNS SETOF text ROWS 5 LANGUAGE sql AS 'SELECT $1';
CREATE FUNCTION code.one(integer) RETURNS TABLE (a integer, "b c" text) LANGUAGE sql AS 'SELECT $1, NULL::text';

CREATE FUNCTION code.refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a trigger fired during the load';
END $$;
CREATE FUNCTION code.stamp() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    NEW.name := NEW.name || '!'; RETURN NEW;
END $$;
CREATE TRIGGER refuse BEFORE INSERT OR UPDATE OF name ON organization FOR EACH ROW WHEN (NEW.name <> ';') EXECUTE FUNCTION code.refuse();
CREATE TRIGGER "Stamp
it" BEFORE INSERT ON service FOR EACH ROW EXECUTE FUNCTION code.stamp();
CREATE TRIGGER disabled AFTER DELETE ON service REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION code.refuse();
ALTER TABLE service DISABLE TRIGGER disabled;
CREATE TRIGGER replica AFTER TRUNCATE ON location EXECUTE FUNCTION code.refuse('it''s', '\', ';');
ALTER TABLE location ENABLE REPLICA TRIGGER replica;
CREATE CONSTRAINT TRIGGER later AFTER INSERT ON location DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION code.refuse();
CREATE TRIGGER on_partitions AFTER INSERT ON shapes.measurement FOR EACH ROW EXECUTE FUNCTION code.refuse();
ALTER TABLE shapes.measurement_west DISABLE TRIGGER on_partitions;

-- z is below y is below x: the order of names is the wrong one.
CREATE VIEW code.z AS SELECT id, name FROM organization WHERE name <> ';';
CREATE MATERIALIZED VIEW code.y AS SELECT id, upper(name) AS name FROM code.z;
CREATE VIEW code.x AS SELECT y.*, ROW(1, ';')::text AS r FROM code.y;
CREATE MATERIALIZED VIEW code.a AS SELECT count(*) AS n, max(name) AS last FROM code.x;
CREATE MATERIALIZED VIEW code.never_filled AS SELECT * FROM code.a WITH NO DATA;
CREATE UNIQUE INDEX y_id ON code.y (id);
CREATE INDEX y_name ON code.y (lower(name)) INCLUDE (id);
CREATE VIEW code.grouped AS SELECT o.*, count(s.id) AS services FROM organization o LEFT JOIN service s ON s.organization_id = o.id GROUP BY o.id;
CREATE MATERIALIZED VIEW code.grouped_twice AS SELECT id, name, services FROM code.grouped GROUP BY id, name, services;
CREATE RECURSIVE VIEW code.numbers (n) AS VALUES (1) UNION ALL SELECT n + 1 FROM numbers WHERE n < 5;
CREATE VIEW code.guarded WITH (security_barrier, security_invoker) AS SELECT id, name FROM organization WHERE name <> '' WITH LOCAL CHECK OPTION;
ALTER VIEW code.guarded ALTER name SET DEFAULT 'someone';
CREATE VIEW code.first_seen AS SELECT 1 AS a, 'x'::text AS b;
CREATE FUNCTION code.uses_the_view() RETURNS SETOF code.first_seen LANGUAGE sql AS 'SELECT * FROM code.first_seen';
CREATE OR REPLACE VIEW code.first_seen AS SELECT a, b FROM (VALUES (1, 'x'::text)) v(a, b) WHERE b <> ';';
CREATE TRIGGER instead INSTEAD OF INSERT ON code.z FOR EACH ROW EXECUTE FUNCTION code.refuse();

CREATE RULE "log; it" AS ON INSERT TO no_rows WHERE NEW.id > 5 DO ALSO (INSERT INTO one_null VALUES (';'); UPDATE one_null SET nothing = 'x' WHERE false);
CREATE RULE tells AS ON UPDATE TO no_rows DO ALSO NOTIFY changed;
CREATE RULE never AS ON DELETE TO awkward DO INSTEAD NOTHING;
ALTER TABLE awkward DISABLE RULE never;

ALTER TABLE location ENABLE ROW LEVEL SECURITY;
CREATE POLICY "only; mine" ON location AS RESTRICTIVE FOR SELECT TO pg_monitor, public USING (organization_id IS NOT NULL);
CREATE POLICY adding ON location FOR INSERT WITH CHECK (latitude > 0);

CREATE COLLATION code."German ""phone""" (provider = libc, locale = 'C');
CREATE TABLE code.collated (word text COLLATE code."German ""phone""", CHECK (word COLLATE "C" < '漢'));
INSERT INTO code.collated VALUES ('a'), ('Ä');

CREATE TYPE code.celsius AS (degrees numeric);
CREATE TYPE code.fahrenheit AS (degrees numeric);
CREATE FUNCTION code.to_fahrenheit(code.celsius) RETURNS code.fahrenheit LANGUAGE sql IMMUTABLE AS 'SELECT ROW(($1).degrees * 9 / 5 + 32)::code.fahrenheit';
CREATE CAST (code.celsius AS code.fahrenheit) WITH FUNCTION code.to_fahrenheit(code.celsius) AS ASSIGNMENT;
CREATE FUNCTION code.warmer(code.celsius, code.celsius) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT ($1).degrees > ($2).degrees';
CREATE FUNCTION code.colder(code.celsius, code.celsius) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT ($1).degrees < ($2).degrees';
CREATE OPERATOR code.|>| (LEFTARG = code.celsius, RIGHTARG = code.celsius, FUNCTION = code.warmer, COMMUTATOR = OPERATOR(code.|<|));
CREATE OPERATOR code.|<| (LEFTARG = code.celsius, RIGHTARG = code.celsius, FUNCTION = code.colder, COMMUTATOR = OPERATOR(code.|>|));
CREATE FUNCTION code.add(state numeric, next numeric, by numeric) RETURNS numeric LANGUAGE sql AS 'SELECT $1 + coalesce($2, 0) * $3';
CREATE AGGREGATE code.weighted(numeric, numeric) (SFUNC = code.add, STYPE = numeric, INITCOND = '0');
CREATE AGGREGATE code.share(numeric ORDER BY numeric) (SFUNC = numeric_larger, STYPE = numeric, FINALFUNC = numeric_mul);
CREATE CONVERSION code.latin FOR 'UTF8' TO 'LATIN1' FROM utf8_to_iso8859_1;
CREATE TEXT SEARCH DICTIONARY code.plain (TEMPLATE = pg_catalog.simple, STOPWORDS = english);
CREATE TEXT SEARCH CONFIGURATION code.search (COPY = pg_catalog.english);
ALTER TEXT SEARCH CONFIGURATION code.search ALTER MAPPING FOR asciiword WITH code.plain, english_stem;
CREATE INDEX by_own_search ON organization USING gin (to_tsvector('code.search', name));
CREATE INDEX by_own_function ON organization (code.dollars(name));

CREATE PUBLICATION "All, or; some" FOR TABLE organization, service (id, name) WHERE (name <> ';') WITH (publish = 'insert');
ALTER DEFAULT PRIVILEGES IN SCHEMA code GRANT SELECT ON TABLES TO pg_monitor;
GRANT SELECT (id) ON organization TO pg_monitor;
