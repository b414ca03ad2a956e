-- Persons with several numbers, since some were merged.

-- As before, of all numbers merged with p_patient: they are one person.
CREATE OR REPLACE FUNCTION patient_shred(p_patient uuid) RETURNS SETOF uuid
LANGUAGE plpgsql AS $$
DECLARE
    v_all uuid[];
BEGIN
    IF p_patient = '00000000-0000-0000-0000-000000000000' THEN
        RAISE EXCEPTION 'the tenant is not a patient' USING ERRCODE = 'CS006';
    END IF;
    PERFORM pg_advisory_xact_lock(7237003); -- no merge meanwhile
    SELECT array_agg(g) INTO v_all FROM patient_group(p_patient) AS g;
    RETURN QUERY UPDATE patient_key SET wrapped = NULL, destroyed = now()
                 WHERE patient = ANY (v_all) AND wrapped IS NOT NULL RETURNING id;
    DELETE FROM patient_identifier WHERE patient = ANY (v_all);
    DELETE FROM access WHERE patient = ANY (v_all);
END
$$;

-- p_hashes are those of a patient whom p_source is merged into, and lead to both: what they lead
-- to besides p_source is the patient. Returns as patient_resolve() does; 3 if that is several.
CREATE FUNCTION patient_join(p_source uuid, p_hashes bytea[],
                             OUT outcome integer, OUT patient uuid)
LANGUAGE plpgsql AS $$
DECLARE
    v_others uuid[];
BEGIN
    SELECT array_agg(DISTINCT patient_root(i.patient)) INTO v_others
    FROM patient_identifier i
    WHERE i.hash = ANY (p_hashes) AND patient_root(i.patient) <> patient_root(p_source);
    IF cardinality(v_others) = 1 THEN
        PERFORM patient_merge(p_source, v_others[1]);
    END IF;
    SELECT r.outcome, r.patient INTO outcome, patient
    FROM patient_resolve(p_hashes, v_others[1]) AS r;
END
$$;
