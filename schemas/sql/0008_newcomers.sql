-- Numbers and keys of many patients in one transaction.

-- patient_resolve() for each of the groups of p_hashes: group i begins at p_first[i] and ends
-- before p_first[i + 1]. One that is new, under p_fresh[i], gets the key p_key[i] with it.
CREATE FUNCTION patient_learn(p_hashes bytea[], p_first integer[], p_fresh uuid[], p_key uuid[],
                              p_root bytea, p_wrapped bytea[])
RETURNS TABLE (outcome integer, patient uuid)
LANGUAGE plpgsql AS $$
BEGIN
    FOR i IN 1 .. cardinality(p_fresh) LOOP
        SELECT r.outcome, r.patient INTO outcome, patient
        FROM patient_resolve(p_hashes[p_first[i] : p_first[i + 1] - 1], p_fresh[i]) AS r;
        IF outcome = 1 THEN
            INSERT INTO patient_key (id, patient, root, wrapped, created)
            VALUES (p_key[i], p_fresh[i], p_root, p_wrapped[i], clock_timestamp());
        END IF;
        RETURN NEXT;
    END LOOP;
END
$$;
