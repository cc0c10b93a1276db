-- The tables that a database must have to be dumped, with more rows than the floor asks for.
CREATE TABLE organization (
    id uuid PRIMARY KEY,
    name text NOT NULL,
    description text,
    parent_id uuid REFERENCES organization DEFERRABLE INITIALLY DEFERRED,
    main_location_id uuid
);
CREATE TABLE location (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES organization ON DELETE CASCADE,
    latitude numeric,
    longitude numeric
);
CREATE TABLE service (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES organization,
    name text NOT NULL,
    alternate_name text
);
ALTER TABLE organization
    ADD CONSTRAINT main_location FOREIGN KEY (main_location_id) REFERENCES location DEFERRABLE;

INSERT INTO organization (id, name, parent_id)
SELECT md5('o' || i)::uuid, 'Pantry ' || i, CASE WHEN i > 1 THEN md5('o' || i / 2)::uuid END
FROM generate_series(1, 160) i;
INSERT INTO location
SELECT md5('l' || i)::uuid, md5('o' || i)::uuid, 40 + i / 1000.0, -74 - i / 1000.0
FROM generate_series(1, 160) i;
INSERT INTO service
SELECT md5('s' || i)::uuid, md5('o' || i)::uuid, 'Service ' || i, NULLIF('alias ' || i, 'alias 7')
FROM generate_series(1, 155) i;
UPDATE organization SET main_location_id = location.id
FROM location WHERE organization_id = organization.id;
