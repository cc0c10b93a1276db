-- Comments on everything, in words that a parser may take for its own.
DO $do$
DECLARE
    words CONSTANT text := E'it''s a "comment" \\N\n\\.\n\\unrestrict x\n--\n-- Name: x; Type: TABLE; Schema: public; Owner: -\n--\n\nCOPY public.x (a) FROM stdin;\n1\n\\.\n;🍞';
    target text;
BEGIN
    FOREACH target IN ARRAY ARRAY[
        'SCHEMA "Weird Schema"', 'SCHEMA public', 'TABLE organization', 'COLUMN organization.name', 'INDEX "Weird Schema"."an ""Index""
\! with all"',
        'CONSTRAINT main_location ON organization', 'CONSTRAINT is_even ON DOMAIN kinds.even',
        'DOMAIN kinds.email', 'TYPE kinds.mood', 'TYPE kinds.address', 'COLUMN kinds.address.street',
        'TYPE kinds.floats', 'SEQUENCE shapes.never_called', 'STATISTICS shapes.correlated',
        'VIEW code.grouped', 'COLUMN code.grouped.services', 'MATERIALIZED VIEW code.a',
        'FUNCTION code.one(text)', 'PROCEDURE code.do_it(integer, text[])', 'TRIGGER refuse ON organization',
        'RULE never ON awkward', 'POLICY adding ON location', 'COLLATION code."German ""phone"""',
        'CAST (code.celsius AS code.fahrenheit)', 'OPERATOR code.|>| (code.celsius, code.celsius)',
        'AGGREGATE code.weighted(numeric, numeric)', 'CONVERSION code.latin',
        'TEXT SEARCH DICTIONARY code.plain', 'TEXT SEARCH CONFIGURATION code.search',
        'PUBLICATION "All, or; some"', 'EXTENSION hstore', 'TABLE "it''s ""a"".b\c
\! d%s"."x"".""y"',
        'COLUMN "Weird Schema"."Order"."User"', 'TABLE shapes.measurement_east', 'LARGE OBJECT 770003'
    ] LOOP
        EXECUTE 'COMMENT ON ' || target || ' IS ' || quote_literal(words);
    END LOOP;
END $do$;
