-- Places on the earth, on top of the core tables.
CREATE EXTENSION postgis;
CREATE EXTENSION postgis_topology;
INSERT INTO spatial_ref_sys (srid, auth_name, auth_srid, srtext, proj4text)
VALUES (990001, 'pantry', 1, 'LOCAL_CS["a pantry''s own \ grid"]', '+proj=longlat +datum=WGS84 +no_defs');

ALTER TABLE location
    ADD COLUMN place geography(Point, 4326),
    ADD COLUMN shape geometry(Geometry, 990001),
    ADD COLUMN height geometry(PointZM),
    ADD COLUMN mercator geometry(Point, 3857)
        GENERATED ALWAYS AS (st_transform(st_setsrid(st_point(longitude, latitude), 4326), 3857)) STORED;
UPDATE location SET
    place = st_point(longitude, latitude)::geography,
    shape = st_setsrid('GEOMETRYCOLLECTION(POINT EMPTY, POLYGON((0 0, 1 0, 1 1, 0 0)))'::geometry, 990001),
    height = st_makepoint(longitude, latitude, 'NaN', -1);
CREATE TABLE drawn (id integer PRIMARY KEY, outline geometry, area box2d, volume box3d, pixels text);
INSERT INTO drawn SELECT i, st_buffer(st_point(i, -i), i), NULL, 'BOX3D(1 2 3, 4 5 6)' FROM generate_series(1, 20) i;

CREATE INDEX location_place ON location USING gist (place);
CREATE INDEX location_shape ON location USING gist (shape gist_geometry_ops_nd);
CREATE INDEX location_buffer ON location USING gist (st_buffer(mercator, 5)) WHERE mercator IS NOT NULL;
CREATE INDEX drawn_outline ON drawn USING spgist (outline);
ALTER TABLE drawn ADD CHECK (st_isvalid(outline)), CLUSTER ON drawn_pkey;

CREATE VIEW near AS
SELECT a.id, b.id AS other, st_distance(a.place, b.place) AS metres, st_asgeojson(a.place) AS geojson
FROM location a JOIN location b ON st_dwithin(a.place, b.place, 500) AND a.id < b.id;
CREATE MATERIALIZED VIEW crowded AS
SELECT organization_id, st_union(mercator) AS places, st_envelope(st_collect(mercator)) AS box
FROM location GROUP BY organization_id;
CREATE INDEX crowded_places ON crowded USING gist (places);
CREATE FUNCTION metres(a geography, b geography) RETURNS double precision LANGUAGE sql STABLE AS 'SELECT public.st_distance(a, b)';

SELECT topology.createtopology('streets', 4326, 0.5);
SELECT topology.addtopogeometrycolumn('streets', 'public', 'drawn', 'street', 'LINE');
