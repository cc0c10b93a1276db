-- What a server says is in a database, in the same words from PostgreSQL 12 on: of each relation
-- the rows and their MD5, and of each other object its definition's MD5. One line for each, as JSON.
SET search_path = '';
SET extra_float_digits = 1;
SET datestyle = 'ISO, MDY';
SET intervalstyle = 'postgres';
SET timezone = 'UTC';
SET bytea_output = 'hex';
SET lc_monetary = 'C';
SET client_encoding = 'UTF8';
SET client_min_messages = 'warning';
SET row_security = off;

-- Rows in the order of their bytes, column by column, as versions differ in the quotes of a whole
-- row's text: of a table those that lie in it, and not in its children; of partitioned tables and
-- views all that are seen through them.
CREATE OR REPLACE FUNCTION pg_temp.rows_of(relation pg_catalog.regclass, kind "char") RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    line text;
    found text;
BEGIN
    SELECT coalesce(string_agg(
        format('quote_nullable(%I::text)', attname), ' || '','' || ' ORDER BY attnum), '''''')
    INTO line
    FROM pg_catalog.pg_attribute WHERE attrelid = relation AND attnum > 0 AND NOT attisdropped;
    EXECUTE format(
        'SELECT count(*) || '' rows, '' || coalesce(md5(string_agg(line, E''\n'' ORDER BY line '
        'COLLATE pg_catalog."C")), ''-'') FROM (SELECT %s AS line FROM %s %s) lines',
        line, CASE WHEN kind = 'r' THEN 'ONLY' END, relation
    ) INTO found;
    RETURN found;
END $$;
CREATE OR REPLACE FUNCTION pg_temp.value_of(sequence pg_catalog.regclass) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    found text;
BEGIN
    EXECUTE format('SELECT last_value || '' '' || is_called FROM %s', sequence) INTO found;
    RETURN found;
END $$;

WITH mine AS (  -- neither the server's own nor an extension's
    SELECT oid FROM pg_catalog.pg_namespace
    WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'
), of_extensions AS (
    SELECT classid, objid FROM pg_catalog.pg_depend WHERE deptype = 'e'
), relations AS (
    SELECT c.* FROM pg_catalog.pg_class c
    WHERE relnamespace IN (SELECT oid FROM mine)
    AND ('pg_catalog.pg_class'::regclass, c.oid) NOT IN (SELECT * FROM of_extensions)
), objects AS (
    SELECT 'pg_catalog.pg_namespace'::regclass AS class, oid, NULL AS is FROM mine
    UNION ALL
    SELECT 'pg_catalog.pg_extension'::regclass, oid, extnamespace::regnamespace::text
    FROM pg_catalog.pg_extension
    UNION ALL
    SELECT 'pg_catalog.pg_proc'::regclass, oid, concat_ws(
        ' ', prosrc, pg_get_function_arguments(oid), pg_get_function_result(oid), provolatile,
        proisstrict, procost, proconfig)
    FROM pg_catalog.pg_proc
    WHERE pronamespace IN (SELECT oid FROM mine)
    AND (prokind = 'a' OR prolang IN (
        SELECT oid FROM pg_catalog.pg_language WHERE lanname IN ('sql', 'plpgsql')))
    UNION ALL
    SELECT 'pg_catalog.pg_type'::regclass, t.oid, concat_ws(
        ' ', typtype, typnotnull, typdefault, format_type(nullif(typbasetype, 0), typtypmod),
        (SELECT string_agg(enumlabel, ',' ORDER BY enumsortorder) FROM pg_catalog.pg_enum
         WHERE enumtypid = t.oid),
        (SELECT rngsubtype::regtype FROM pg_catalog.pg_range WHERE rngtypid = t.oid))
    FROM pg_catalog.pg_type t
    WHERE typtype IN ('e', 'd', 'r') OR typrelid IN (SELECT oid FROM relations WHERE relkind = 'c')
    UNION ALL
    SELECT 'pg_catalog.pg_constraint'::regclass, oid,
        concat_ws(' ', pg_get_constraintdef(oid), convalidated, condeferrable, condeferred)
    FROM pg_catalog.pg_constraint WHERE contype IN ('c', 'f', 'p', 'u', 'x')
    AND (contype <> 'f' OR conparentid = 0)  -- servers name those of partitions differently
    UNION ALL
    SELECT 'pg_catalog.pg_trigger'::regclass, oid, concat_ws(' ', pg_get_triggerdef(oid), tgenabled)
    FROM pg_catalog.pg_trigger WHERE tgname !~ '^(RI|Unique|PK)_ConstraintTrigger_'
    UNION ALL
    SELECT 'pg_catalog.pg_rewrite'::regclass, oid, concat_ws(' ', ev_type, ev_enabled, is_instead)
    FROM pg_catalog.pg_rewrite
    UNION ALL
    SELECT 'pg_catalog.pg_policy'::regclass, oid, concat_ws(
        ' ', polcmd, polpermissive, pg_get_expr(polqual, polrelid),
        pg_get_expr(polwithcheck, polrelid))
    FROM pg_catalog.pg_policy
    UNION ALL
    SELECT 'pg_catalog.pg_statistic_ext'::regclass, oid, concat_ws(' ', stxrelid::regclass, stxkind)
    FROM pg_catalog.pg_statistic_ext
    UNION ALL
    SELECT 'pg_catalog.pg_operator'::regclass, oid, concat_ws(' ', oprcode, oprcom::regoperator)
    FROM pg_catalog.pg_operator
    UNION ALL
    SELECT 'pg_catalog.pg_cast'::regclass, oid, concat_ws(' ', castfunc::regprocedure, castcontext)
    FROM pg_catalog.pg_cast
    WHERE castfunc IN (
        SELECT oid FROM pg_catalog.pg_proc
        WHERE prolang = (SELECT oid FROM pg_catalog.pg_language WHERE lanname = 'sql'))
    UNION ALL
    SELECT 'pg_catalog.pg_conversion'::regclass, oid, conproc::text FROM pg_catalog.pg_conversion
    UNION ALL
    SELECT 'pg_catalog.pg_ts_dict'::regclass, oid, dictinitoption FROM pg_catalog.pg_ts_dict
    UNION ALL
    SELECT 'pg_catalog.pg_ts_config'::regclass, c.oid, (
        SELECT string_agg(concat_ws(' ', maptokentype, mapseqno, mapdict::regdictionary), ','
            ORDER BY maptokentype, mapseqno)
        FROM pg_catalog.pg_ts_config_map WHERE mapcfg = c.oid)
    FROM pg_catalog.pg_ts_config c
    UNION ALL
    SELECT 'pg_catalog.pg_publication'::regclass, p.oid, concat_ws(
        ' ', pubinsert, pubupdate, pubdelete, pubtruncate, (
            SELECT string_agg(prrelid::regclass::text, ',' ORDER BY prrelid::regclass::text)
            FROM pg_catalog.pg_publication_rel WHERE prpubid = p.oid))
    FROM pg_catalog.pg_publication p
), found (what, "is") AS (
    SELECT concat_ws(
            ' ', CASE relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' ELSE 'table' END,
            oid::regclass),
        CASE WHEN relispopulated THEN pg_temp.rows_of(oid, relkind) ELSE 'not filled' END
    FROM relations WHERE relkind IN ('r', 'p', 'v', 'm')
    UNION ALL
    SELECT 'columns of ' || r.oid::regclass, (
        SELECT left(md5(string_agg(concat_ws(
            ' ', quote_ident(attname), format_type(atttypid, atttypmod), attnotnull, attidentity,
            attgenerated, attislocal, attinhcount, pg_get_expr(adbin, adrelid)), E'\n' ORDER BY attnum)), 8)
        FROM pg_catalog.pg_attribute
        LEFT JOIN pg_catalog.pg_attrdef ON adrelid = attrelid AND adnum = attnum
        WHERE attrelid = r.oid AND attnum > 0 AND NOT attisdropped)
    FROM relations r WHERE relkind IN ('r', 'p', 'v', 'm', 'c')
    UNION ALL
    SELECT 'partition ' || oid::regclass, left(md5(pg_get_expr(relpartbound, oid)), 8)
    FROM relations WHERE relispartition AND relkind IN ('r', 'p')
    UNION ALL
    SELECT 'sequence ' || s.seqrelid::regclass, concat_ws(
        ' ', pg_temp.value_of(s.seqrelid), seqtypid::regtype, seqstart, seqincrement, seqmax, seqmin,
        seqcache, seqcycle)
    FROM pg_catalog.pg_sequence s
    UNION ALL
    SELECT 'index ' || indexrelid::regclass,
        concat_ws(' ', left(md5(pg_get_indexdef(indexrelid)), 8),
            CASE WHEN indisclustered THEN 'clustered' END, CASE WHEN NOT indisvalid THEN 'invalid' END)
    FROM pg_catalog.pg_index WHERE indrelid IN (SELECT oid FROM relations)
    UNION ALL
    SELECT 'large object ' || oid, left(md5(lo_get(oid)), 8) FROM pg_catalog.pg_largeobject_metadata
    UNION ALL
    SELECT concat_ws(' ', o.type, o.identity), left(md5("is"), 8)
    FROM objects, pg_identify_object(class, oid, 0) o
    WHERE (oid >= 16384 OR class = 'pg_catalog.pg_namespace'::regclass)
    AND (class, oid) NOT IN (SELECT * FROM of_extensions)
    UNION ALL
    SELECT concat_ws(' ', 'comment on', o.type, o.identity), left(md5(description), 8)
    FROM pg_catalog.pg_description, pg_identify_object(classoid, objoid, objsubid) o
    WHERE (objoid >= 16384 OR objoid IN (SELECT oid FROM mine))
    AND (classoid, objoid) NOT IN (SELECT * FROM of_extensions)
)
SELECT E'{\n' || string_agg(to_json(what) || ': ' || to_json("is"), E',\n' ORDER BY what COLLATE "C")
    || E'\n}'
FROM found;
