-- What is about people and not about food: none of it is published.
CREATE TABLE public.change_audit (
    id uuid NOT NULL,
    location_id character varying(250) NOT NULL,
    action character varying(50) NOT NULL,
    changed_fields jsonb,
    previous_values jsonb,
    new_values jsonb,
    api_key_name text,
    source_ip text,
    user_agent text,
    caller_context jsonb,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);
COMMENT ON TABLE public.change_audit IS 'Who corrected what, with which key, from which address.';

CREATE TABLE public.data_upload (
    id uuid NOT NULL,
    file_name text NOT NULL,
    content_hash bytea NOT NULL,
    row_count integer NOT NULL,
    uploaded_by text NOT NULL,
    uploaded_at timestamp with time zone DEFAULT now() NOT NULL
);

-- A service makes it when it first has something to say.
CREATE TABLE IF NOT EXISTS public.reconciler_constraint_violations (
    id bigserial NOT NULL,
    constraint_name text NOT NULL,
    table_name text NOT NULL,
    operation text NOT NULL,
    conflicting_data jsonb,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE ONLY public.change_audit ADD CONSTRAINT change_audit_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.data_upload ADD CONSTRAINT data_upload_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.reconciler_constraint_violations
    ADD CONSTRAINT reconciler_constraint_violations_pkey PRIMARY KEY (id);
