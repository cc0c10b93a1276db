-- Keys, indexes and triggers of the sample, added when the rows are in. Where an organization goes,
-- what belongs to it goes with it.

-- Primary keys
ALTER TABLE ONLY public.taxonomy ADD CONSTRAINT taxonomy_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.taxonomy_term ADD CONSTRAINT taxonomy_term_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.organization ADD CONSTRAINT organization_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.organization_identifier ADD CONSTRAINT organization_identifier_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.program ADD CONSTRAINT program_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.service ADD CONSTRAINT service_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.location ADD CONSTRAINT location_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.service_at_location ADD CONSTRAINT service_at_location_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.address ADD CONSTRAINT address_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.accessibility ADD CONSTRAINT accessibility_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.contact ADD CONSTRAINT contact_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.phone ADD CONSTRAINT phone_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.schedule ADD CONSTRAINT schedule_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.language ADD CONSTRAINT language_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.service_area ADD CONSTRAINT service_area_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.funding ADD CONSTRAINT funding_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.cost_option ADD CONSTRAINT cost_option_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.required_document ADD CONSTRAINT required_document_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.url ADD CONSTRAINT url_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.attribute ADD CONSTRAINT attribute_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.metadata ADD CONSTRAINT metadata_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.organization_source ADD CONSTRAINT organization_source_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.location_source ADD CONSTRAINT location_source_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.service_source ADD CONSTRAINT service_source_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.record_version ADD CONSTRAINT record_version_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.content_log ADD CONSTRAINT content_log_pkey PRIMARY KEY (id);

-- What may be there only once
ALTER TABLE ONLY public.organization_source
    ADD CONSTRAINT organization_source_scraper_key UNIQUE (organization_id, scraper_id);
ALTER TABLE ONLY public.location_source
    ADD CONSTRAINT location_source_scraper_key UNIQUE (location_id, scraper_id);
ALTER TABLE ONLY public.service_source
    ADD CONSTRAINT service_source_scraper_key UNIQUE (service_id, scraper_id);
ALTER TABLE ONLY public.record_version
    ADD CONSTRAINT record_version_num_key UNIQUE (record_id, record_type, version_num);
ALTER TABLE ONLY public.taxonomy_term
    ADD CONSTRAINT taxonomy_term_code_key UNIQUE (taxonomy_id, code);

-- Indexes that follow the foreign keys
CREATE INDEX organization_parent_organization_id_idx ON public.organization USING btree (parent_organization_id);
CREATE INDEX organization_identifier_organization_id_idx ON public.organization_identifier USING btree (organization_id);
CREATE INDEX program_organization_id_idx ON public.program USING btree (organization_id);
CREATE INDEX service_organization_id_idx ON public.service USING btree (organization_id);
CREATE INDEX service_program_id_idx ON public.service USING btree (program_id);
CREATE INDEX location_organization_id_idx ON public.location USING btree (organization_id);
CREATE INDEX service_at_location_service_id_idx ON public.service_at_location USING btree (service_id);
CREATE INDEX service_at_location_location_id_idx ON public.service_at_location USING btree (location_id);
CREATE INDEX address_location_id_idx ON public.address USING btree (location_id);
CREATE INDEX accessibility_location_id_idx ON public.accessibility USING btree (location_id);
CREATE INDEX contact_organization_id_idx ON public.contact USING btree (organization_id);
CREATE INDEX contact_service_id_idx ON public.contact USING btree (service_id);
CREATE INDEX contact_service_at_location_id_idx ON public.contact USING btree (service_at_location_id);
CREATE INDEX contact_location_id_idx ON public.contact USING btree (location_id);
CREATE INDEX phone_location_id_idx ON public.phone USING btree (location_id);
CREATE INDEX phone_service_id_idx ON public.phone USING btree (service_id);
CREATE INDEX phone_organization_id_idx ON public.phone USING btree (organization_id);
CREATE INDEX phone_contact_id_idx ON public.phone USING btree (contact_id);
CREATE INDEX phone_service_at_location_id_idx ON public.phone USING btree (service_at_location_id);
CREATE INDEX schedule_service_id_idx ON public.schedule USING btree (service_id);
CREATE INDEX schedule_location_id_idx ON public.schedule USING btree (location_id);
CREATE INDEX schedule_service_at_location_id_idx ON public.schedule USING btree (service_at_location_id);
CREATE INDEX language_service_id_idx ON public.language USING btree (service_id);
CREATE INDEX language_location_id_idx ON public.language USING btree (location_id);
CREATE INDEX language_phone_id_idx ON public.language USING btree (phone_id);
CREATE INDEX service_area_service_id_idx ON public.service_area USING btree (service_id);
CREATE INDEX service_area_service_at_location_id_idx ON public.service_area USING btree (service_at_location_id);
CREATE INDEX funding_organization_id_idx ON public.funding USING btree (organization_id);
CREATE INDEX funding_service_id_idx ON public.funding USING btree (service_id);
CREATE INDEX cost_option_service_id_idx ON public.cost_option USING btree (service_id);
CREATE INDEX required_document_service_id_idx ON public.required_document USING btree (service_id);
CREATE INDEX url_organization_id_idx ON public.url USING btree (organization_id);
CREATE INDEX url_service_id_idx ON public.url USING btree (service_id);
CREATE INDEX attribute_taxonomy_term_id_idx ON public.attribute USING btree (taxonomy_term_id);

-- Indexes that answer questions
CREATE INDEX organization_name_idx ON public.organization USING btree (lower(name));
CREATE INDEX organization_normalized_name_idx ON public.organization
    USING btree (public.normalized_name(name));
CREATE INDEX location_place_idx ON public.location USING btree (latitude, longitude)
    WHERE is_canonical;
CREATE INDEX location_point_idx ON public.location USING gist (point(longitude, latitude));
CREATE INDEX phone_called_idx ON public.phone USING btree (number) WHERE type IN ('voice', 'text');
CREATE INDEX address_state_idx ON public.address USING btree (state_province, postal_code);
CREATE INDEX service_status_idx ON public.service USING btree (status);
CREATE INDEX attribute_link_idx ON public.attribute USING btree (link_entity, link_id);
CREATE INDEX metadata_resource_idx ON public.metadata USING btree (resource_type, resource_id);
CREATE INDEX record_version_created_idx ON public.record_version USING btree (created_at);
CREATE INDEX record_version_data_idx ON public.record_version USING gin (data jsonb_path_ops)
    WHERE version_num > 4 AND record_type IN ('organization', 'location');
CREATE INDEX content_log_hash_idx ON public.content_log USING btree (content_hash);

-- Foreign keys
ALTER TABLE ONLY public.taxonomy_term ADD CONSTRAINT taxonomy_term_taxonomy_id_fkey
    FOREIGN KEY (taxonomy_id) REFERENCES public.taxonomy(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.taxonomy_term ADD CONSTRAINT taxonomy_term_parent_id_fkey
    FOREIGN KEY (parent_id) REFERENCES public.taxonomy_term(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.organization ADD CONSTRAINT organization_parent_organization_id_fkey
    FOREIGN KEY (parent_organization_id) REFERENCES public.organization(id) ON DELETE SET NULL;
ALTER TABLE ONLY public.organization_identifier ADD CONSTRAINT organization_identifier_organization_id_fkey
    FOREIGN KEY (organization_id) REFERENCES public.organization(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.program ADD CONSTRAINT program_organization_id_fkey
    FOREIGN KEY (organization_id) REFERENCES public.organization(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.service ADD CONSTRAINT service_organization_id_fkey
    FOREIGN KEY (organization_id) REFERENCES public.organization(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.service ADD CONSTRAINT service_program_id_fkey
    FOREIGN KEY (program_id) REFERENCES public.program(id) ON DELETE SET NULL;
ALTER TABLE ONLY public.location ADD CONSTRAINT location_organization_id_fkey
    FOREIGN KEY (organization_id) REFERENCES public.organization(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.service_at_location ADD CONSTRAINT service_at_location_service_id_fkey
    FOREIGN KEY (service_id) REFERENCES public.service(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.service_at_location ADD CONSTRAINT service_at_location_location_id_fkey
    FOREIGN KEY (location_id) REFERENCES public.location(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.address ADD CONSTRAINT address_location_id_fkey
    FOREIGN KEY (location_id) REFERENCES public.location(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.accessibility ADD CONSTRAINT accessibility_location_id_fkey
    FOREIGN KEY (location_id) REFERENCES public.location(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.contact ADD CONSTRAINT contact_organization_id_fkey
    FOREIGN KEY (organization_id) REFERENCES public.organization(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.contact ADD CONSTRAINT contact_service_id_fkey
    FOREIGN KEY (service_id) REFERENCES public.service(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.contact ADD CONSTRAINT contact_service_at_location_id_fkey
    FOREIGN KEY (service_at_location_id) REFERENCES public.service_at_location(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.contact ADD CONSTRAINT contact_location_id_fkey
    FOREIGN KEY (location_id) REFERENCES public.location(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.phone ADD CONSTRAINT phone_location_id_fkey
    FOREIGN KEY (location_id) REFERENCES public.location(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.phone ADD CONSTRAINT phone_service_id_fkey
    FOREIGN KEY (service_id) REFERENCES public.service(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.phone ADD CONSTRAINT phone_organization_id_fkey
    FOREIGN KEY (organization_id) REFERENCES public.organization(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.phone ADD CONSTRAINT phone_contact_id_fkey
    FOREIGN KEY (contact_id) REFERENCES public.contact(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.phone ADD CONSTRAINT phone_service_at_location_id_fkey
    FOREIGN KEY (service_at_location_id) REFERENCES public.service_at_location(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.schedule ADD CONSTRAINT schedule_service_id_fkey
    FOREIGN KEY (service_id) REFERENCES public.service(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.schedule ADD CONSTRAINT schedule_location_id_fkey
    FOREIGN KEY (location_id) REFERENCES public.location(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.schedule ADD CONSTRAINT schedule_service_at_location_id_fkey
    FOREIGN KEY (service_at_location_id) REFERENCES public.service_at_location(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.language ADD CONSTRAINT language_service_id_fkey
    FOREIGN KEY (service_id) REFERENCES public.service(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.language ADD CONSTRAINT language_location_id_fkey
    FOREIGN KEY (location_id) REFERENCES public.location(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.language ADD CONSTRAINT language_phone_id_fkey
    FOREIGN KEY (phone_id) REFERENCES public.phone(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.service_area ADD CONSTRAINT service_area_service_id_fkey
    FOREIGN KEY (service_id) REFERENCES public.service(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.service_area ADD CONSTRAINT service_area_service_at_location_id_fkey
    FOREIGN KEY (service_at_location_id) REFERENCES public.service_at_location(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.funding ADD CONSTRAINT funding_organization_id_fkey
    FOREIGN KEY (organization_id) REFERENCES public.organization(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.funding ADD CONSTRAINT funding_service_id_fkey
    FOREIGN KEY (service_id) REFERENCES public.service(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.cost_option ADD CONSTRAINT cost_option_service_id_fkey
    FOREIGN KEY (service_id) REFERENCES public.service(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.required_document ADD CONSTRAINT required_document_service_id_fkey
    FOREIGN KEY (service_id) REFERENCES public.service(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.url ADD CONSTRAINT url_organization_id_fkey
    FOREIGN KEY (organization_id) REFERENCES public.organization(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.url ADD CONSTRAINT url_service_id_fkey
    FOREIGN KEY (service_id) REFERENCES public.service(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.attribute ADD CONSTRAINT attribute_taxonomy_term_id_fkey
    FOREIGN KEY (taxonomy_term_id) REFERENCES public.taxonomy_term(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.organization_source ADD CONSTRAINT organization_source_organization_id_fkey
    FOREIGN KEY (organization_id) REFERENCES public.organization(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.location_source ADD CONSTRAINT location_source_location_id_fkey
    FOREIGN KEY (location_id) REFERENCES public.location(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.service_source ADD CONSTRAINT service_source_service_id_fkey
    FOREIGN KEY (service_id) REFERENCES public.service(id) ON DELETE CASCADE;

-- An update that changes nothing leaves the row's time as it is.
CREATE FUNCTION public.touch_updated_at() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    NEW.updated_at := pg_catalog.now();
    RETURN NEW;
END;
$$;

CREATE TRIGGER organization_touch BEFORE UPDATE ON public.organization
    FOR EACH ROW WHEN (old.* IS DISTINCT FROM new.*)
    EXECUTE FUNCTION public.touch_updated_at();
CREATE TRIGGER location_touch BEFORE UPDATE ON public.location
    FOR EACH ROW WHEN (old.* IS DISTINCT FROM new.*)
    EXECUTE FUNCTION public.touch_updated_at();
CREATE TRIGGER service_touch BEFORE UPDATE ON public.service
    FOR EACH ROW WHEN (old.* IS DISTINCT FROM new.*)
    EXECUTE FUNCTION public.touch_updated_at();

CREATE FUNCTION public.only_add() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    RAISE EXCEPTION 'rows of % are only added', TG_TABLE_NAME;
END;
$$;

CREATE TRIGGER content_log_only_grows BEFORE UPDATE OR DELETE ON public.content_log
    FOR EACH ROW EXECUTE FUNCTION public.only_add();

-- Filled when it is made, so it comes after the rows.
CREATE MATERIALIZED VIEW public.places_by_state AS
SELECT state_province, count(*) AS places, count(sources) AS with_source
FROM public.location_master_view
WHERE state_province IS NOT NULL
GROUP BY state_province;
CREATE UNIQUE INDEX places_by_state_key ON public.places_by_state USING btree (state_province);
