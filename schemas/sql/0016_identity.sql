-- By which identifier of a Consent which consent of a patient goes: a later one of the same
-- identifier is its next version. hash: keyed, of system and value.
CREATE TABLE consent_identity (
    patient uuid NOT NULL REFERENCES patient,
    hash    bytea NOT NULL CHECK (length(hash) = 32),
    consent bytea NOT NULL CHECK (length(consent) = 32),
    PRIMARY KEY (patient, hash)
);

-- Whose keys are destroyed is found by nothing any more.
CREATE FUNCTION destroyed_key_identity() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM consent_identity c WHERE c.patient = NEW.patient;
    RETURN NULL;
END
$$;
CREATE TRIGGER destroyed_identity AFTER UPDATE ON patient_key FOR EACH ROW
    WHEN (OLD.wrapped IS NOT NULL AND NEW.wrapped IS NULL)
    EXECUTE FUNCTION destroyed_key_identity();
