-- Patients are random numbers. What leads to them is keyed hashes; what hides them is keys.

-- The number of sixteen zero bytes stands for the tenant: its keys seal what is about nobody.
CREATE TABLE patient (
    id      uuid PRIMARY KEY,
    created timestamptz NOT NULL DEFAULT now()
);
INSERT INTO patient (id) VALUES ('00000000-0000-0000-0000-000000000000');

CREATE TABLE patient_identifier (
    hash    bytea PRIMARY KEY CHECK (length(hash) = 32),
    patient uuid NOT NULL REFERENCES patient
);
CREATE INDEX patient_identifier_patient ON patient_identifier (patient);

-- Merges: source points at target. Chains are followed, cycles refused.
CREATE TABLE patient_link (
    source uuid PRIMARY KEY REFERENCES patient,
    target uuid NOT NULL REFERENCES patient,
    at     timestamptz NOT NULL DEFAULT now(),
    CHECK (source <> target)
);
CREATE INDEX patient_link_target ON patient_link (target);

-- wrapped is NULL once the key is destroyed; the row stays, so that its id explains itself.
CREATE TABLE patient_key (
    id        uuid PRIMARY KEY,
    patient   uuid NOT NULL REFERENCES patient,
    root      bytea NOT NULL,
    wrapped   bytea,
    created   timestamptz NOT NULL DEFAULT now(),
    destroyed timestamptz,
    CHECK ((wrapped IS NULL) = (destroyed IS NOT NULL))
);
CREATE INDEX patient_key_patient ON patient_key (patient, created DESC, id DESC)
    WHERE wrapped IS NOT NULL;
CREATE INDEX patient_key_root ON patient_key (root) WHERE wrapped IS NOT NULL;

-- The patient that p_hashes lead to. Those not yet known are learnt. p_fresh is the number for
-- a new patient if none of them is known; NULL: don't make one.
-- outcome: 0 found, 1 made, 2 unknown, 3 they lead to two patients.
CREATE FUNCTION patient_resolve(p_hashes bytea[], p_fresh uuid,
                                OUT outcome integer, OUT patient uuid)
LANGUAGE plpgsql AS $$
DECLARE
    v_found uuid[];
    v_made  boolean := false;
    v_hash  bytea;
BEGIN
    SELECT array_agg(DISTINCT patient_root(i.patient)) INTO v_found
    FROM patient_identifier i WHERE i.hash = ANY (p_hashes);
    IF p_fresh IS NOT NULL AND coalesce(cardinality(v_found), 0) < 2 THEN
        -- In order, so that two workers wait for each other instead of deadlocking.
        FOR v_hash IN SELECT DISTINCT h FROM unnest(p_hashes) AS h ORDER BY h LOOP
            CONTINUE WHEN EXISTS (SELECT FROM patient_identifier i WHERE i.hash = v_hash);
            IF v_found IS NULL AND NOT v_made THEN
                INSERT INTO patient (id) VALUES (p_fresh) ON CONFLICT DO NOTHING;
                v_made := true;
            END IF;
            INSERT INTO patient_identifier (hash, patient)
            VALUES (v_hash, coalesce(v_found[1], p_fresh)) ON CONFLICT DO NOTHING;
        END LOOP;
        -- Another worker may have been first with some of them: then they are all of its patient.
        SELECT array_agg(DISTINCT patient_root(i.patient)) INTO v_found
        FROM patient_identifier i WHERE i.hash = ANY (p_hashes);
        IF v_made AND v_found <> ARRAY[p_fresh] THEN
            v_found := array_remove(v_found, p_fresh);
            UPDATE patient_identifier i SET patient = v_found[1] WHERE i.patient = p_fresh;
            DELETE FROM patient WHERE id = p_fresh;
            v_made := false;
        END IF;
    END IF;
    outcome := CASE coalesce(cardinality(v_found), 0)
                   WHEN 0 THEN 2 WHEN 1 THEN v_made::integer ELSE 3 END;
    patient := CASE WHEN outcome < 2 THEN v_found[1] END;
END
$$;

-- The number at the end of the merges that start at p_patient.
CREATE FUNCTION patient_root(p_patient uuid) RETURNS uuid LANGUAGE sql STABLE AS $$
    WITH RECURSIVE way (id, depth) AS (
        SELECT p_patient, 0
        UNION ALL
        SELECT l.target, depth + 1 FROM way JOIN patient_link l ON l.source = way.id
        WHERE depth < 64
    )
    SELECT id FROM way ORDER BY depth DESC LIMIT 1
$$;

-- All numbers merged with p_patient, itself included.
CREATE FUNCTION patient_group(p_patient uuid) RETURNS SETOF uuid LANGUAGE sql STABLE AS $$
    WITH RECURSIVE tree (id) AS (
        SELECT patient_root(p_patient)
        UNION
        SELECT l.source FROM tree JOIN patient_link l ON l.target = tree.id
    )
    SELECT id FROM tree
$$;

-- Point the merged number at the surviving one. True if that is new.
CREATE FUNCTION patient_merge(p_source uuid, p_target uuid) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    v_source uuid;
    v_target uuid;
BEGIN
    PERFORM pg_advisory_xact_lock(7237003);
    v_source := patient_root(p_source);
    v_target := patient_root(p_target);
    IF v_source = v_target THEN
        RETURN false;
    END IF;
    INSERT INTO patient_link (source, target) VALUES (v_source, v_target);
    RETURN true;
END
$$;

-- Destroy all that leads to a patient or opens what is sealed for one; returns the keys' ids.
CREATE FUNCTION patient_shred(p_patient uuid) RETURNS SETOF uuid LANGUAGE plpgsql AS $$
BEGIN
    IF p_patient = '00000000-0000-0000-0000-000000000000' THEN
        RAISE EXCEPTION 'the tenant is not a patient' USING ERRCODE = 'CS006';
    END IF;
    RETURN QUERY UPDATE patient_key SET wrapped = NULL, destroyed = now()
                 WHERE patient = p_patient AND wrapped IS NOT NULL RETURNING id;
    DELETE FROM patient_identifier WHERE patient = p_patient;
    DELETE FROM access WHERE patient = p_patient;
END
$$;

CREATE FUNCTION changed_link() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM raise_epoch(4::smallint, array_agg(uuid_send(source))) FROM changed HAVING count(*) > 0;
    RETURN NULL;
END
$$;
CREATE TRIGGER changed_insert AFTER INSERT ON patient_link
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION changed_link();
CREATE TRIGGER changed_delete AFTER DELETE ON patient_link
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION changed_link();

-- Enter a key and return the newest of the patient; with p_only_first only if there is none.
CREATE FUNCTION key_insert(p_id uuid, p_patient uuid, p_root bytea, p_wrapped bytea,
                           p_only_first boolean) RETURNS SETOF patient_key
LANGUAGE plpgsql AS $$
BEGIN
    -- Two that want to be first wait for each other.
    PERFORM FROM patient WHERE id = p_patient FOR NO KEY UPDATE;
    IF NOT p_only_first OR NOT EXISTS (SELECT FROM patient_key
                                       WHERE patient = p_patient AND wrapped IS NOT NULL) THEN
        INSERT INTO patient_key (id, patient, root, wrapped, created)
        VALUES (p_id, p_patient, p_root, p_wrapped, clock_timestamp());
    END IF;
    RETURN QUERY SELECT * FROM patient_key WHERE patient = p_patient AND wrapped IS NOT NULL
                 ORDER BY created DESC, id DESC LIMIT 1;
END
$$;

-- A new key changes nobody's caches, nor does the same key wrapped anew; a destroyed one does.
CREATE FUNCTION changed_key() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM raise_epoch(3::smallint, array_agg(uuid_send(id))) FROM changed HAVING count(*) > 0;
    RETURN NULL;
END
$$;
CREATE FUNCTION destroyed_key() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM raise_epoch(3::smallint, array_agg(uuid_send(o.id)))
    FROM changed o LEFT JOIN fresh n ON n.id = o.id AND n.patient = o.patient
    WHERE o.wrapped IS NOT NULL AND n.wrapped IS NULL HAVING count(*) > 0;
    RETURN NULL;
END
$$;
CREATE TRIGGER changed_update AFTER UPDATE ON patient_key
    REFERENCING OLD TABLE AS changed NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION destroyed_key();
CREATE TRIGGER changed_delete AFTER DELETE ON patient_key
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION changed_key();
