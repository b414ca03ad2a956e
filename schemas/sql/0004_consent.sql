-- Consents as filed, and what the chain says of them.

-- One row for each version. sealed opens to policy and salt, statement to the readable statement
-- with its signature, both under the key of the patient.
-- status: 0 filed, 1 withdrawn before it reached the chain, 2 entered in error.
CREATE TABLE consent (
    consent     bytea NOT NULL CHECK (length(consent) = 32),
    version     integer NOT NULL CHECK (version BETWEEN 1 AND 32767),
    patient     uuid NOT NULL REFERENCES patient,
    key         uuid NOT NULL,
    nonce       bytea NOT NULL,
    sealed      bytea NOT NULL,
    statement   bytea NOT NULL,
    policy_hash bytea NOT NULL CHECK (length(policy_hash) = 32),
    commitment  bytea NOT NULL CHECK (length(commitment) = 32),
    status      smallint NOT NULL DEFAULT 0,
    filed       timestamptz NOT NULL,
    superseded  timestamptz,
    PRIMARY KEY (consent, version)
);
ALTER TABLE consent ALTER sealed SET STORAGE EXTERNAL;
ALTER TABLE consent ALTER statement SET STORAGE EXTERNAL;
CREATE INDEX consent_patient ON consent (patient);
CREATE INDEX consent_commitment ON consent (commitment);

-- The events of the registry, in the order of the chain. removed: a reorganisation took the
-- block away. kind: 1 granted, 2 revoked, 3 controller rotated.
CREATE TABLE chain_event (
    chain        bigint NOT NULL,
    block_number bigint NOT NULL,
    block_hash   bytea NOT NULL,
    log_index    integer NOT NULL,
    tx_hash      bytea NOT NULL,
    kind         smallint NOT NULL,
    consent      bytea NOT NULL,
    version      integer NOT NULL,
    commitment   bytea,
    controller   bytea,
    valid_from   bigint,
    valid_until  bigint,
    source       smallint,
    removed      boolean NOT NULL DEFAULT false,
    PRIMARY KEY (chain, block_hash, log_index)
);
CREATE INDEX chain_event_consent ON chain_event (consent, block_number, log_index);
CREATE INDEX chain_event_block ON chain_event (chain, block_number);

-- The state that the events add up to. safe: the block of the grant is.
CREATE TABLE consent_chain (
    consent      bytea PRIMARY KEY,
    chain        bigint NOT NULL,
    version      integer NOT NULL,
    commitment   bytea NOT NULL,
    controller   bytea NOT NULL,
    valid_from   bigint NOT NULL,
    valid_until  bigint NOT NULL,
    revoked      boolean NOT NULL,
    safe         boolean NOT NULL,
    block_number bigint NOT NULL,
    block_hash   bytea NOT NULL
);
CREATE INDEX consent_chain_unsafe ON consent_chain (chain, block_number) WHERE NOT safe;

CREATE TABLE chain_block (
    chain  bigint NOT NULL,
    number bigint NOT NULL,
    hash   bytea NOT NULL CHECK (length(hash) = 32),
    parent bytea NOT NULL CHECK (length(parent) = 32),
    time   bigint NOT NULL,
    PRIMARY KEY (chain, number)
);

-- How far the chain has been followed. agreed: when the endpoints last agreed on the head;
-- ledger.max_staleness counts from it.
CREATE TABLE chain_cursor (
    chain     bigint PRIMARY KEY,
    number    bigint NOT NULL,
    hash      bytea NOT NULL,
    time      bigint NOT NULL,
    safe      bigint NOT NULL,
    finalized bigint NOT NULL,
    agreed    timestamptz NOT NULL
) WITH (fillfactor = 20);

-- Recompute one consent from its events.
CREATE FUNCTION chain_fold(p_chain bigint, p_consent bytea) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_grant   chain_event;
    v_version integer;
    v_rotated bytea;
    v_safe    bigint;
BEGIN
    SELECT * INTO v_grant FROM chain_event
    WHERE consent = p_consent AND chain = p_chain AND kind = 1 AND NOT removed
    ORDER BY block_number DESC, log_index DESC LIMIT 1;
    IF NOT FOUND THEN
        DELETE FROM consent_chain WHERE consent = p_consent AND chain = p_chain;
        RETURN;
    END IF;
    SELECT version, controller INTO v_version, v_rotated FROM chain_event
    WHERE consent = p_consent AND chain = p_chain AND kind = 3 AND NOT removed
      AND (block_number, log_index) > (v_grant.block_number, v_grant.log_index)
    ORDER BY block_number DESC, log_index DESC LIMIT 1;
    v_version := coalesce(v_version, v_grant.version);
    SELECT safe INTO v_safe FROM chain_cursor WHERE chain = p_chain;

    -- A revocation once seen stays, even if its block went, until a higher version is granted.
    -- One that waits to be relayed is seen.
    INSERT INTO consent_chain VALUES
        (p_consent, p_chain, v_version, v_grant.commitment, coalesce(v_rotated, v_grant.controller),
         v_grant.valid_from, v_grant.valid_until,
         EXISTS (SELECT FROM chain_event WHERE consent = p_consent AND chain = p_chain
                 AND kind = 2 AND version >= v_grant.version)
         OR EXISTS (SELECT FROM relay WHERE consent = p_consent AND chain = p_chain
                    AND kind IN (2, 4) AND version BETWEEN v_grant.version AND v_version),
         v_grant.block_number <= coalesce(v_safe, -1), v_grant.block_number, v_grant.block_hash)
    ON CONFLICT (consent) DO UPDATE SET
        chain = excluded.chain, version = excluded.version, commitment = excluded.commitment,
        controller = excluded.controller, valid_from = excluded.valid_from,
        valid_until = excluded.valid_until, revoked = excluded.revoked, safe = excluded.safe,
        block_number = excluded.block_number, block_hash = excluded.block_hash;
END
$$;

-- The fork point: blocks above p_number are gone.
CREATE FUNCTION chain_rollback(p_chain bigint, p_number bigint) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    v_consents bytea[];
BEGIN
    WITH gone AS (
        UPDATE chain_event SET removed = true
        WHERE chain = p_chain AND block_number > p_number AND NOT removed RETURNING consent
    )
    SELECT array_agg(DISTINCT consent) INTO v_consents FROM gone;
    DELETE FROM chain_block WHERE chain = p_chain AND number > p_number;
    UPDATE chain_cursor c SET number = b.number, hash = b.hash, time = b.time
    FROM chain_block b
    WHERE c.chain = p_chain AND c.number > p_number AND b.chain = p_chain AND b.number = p_number;
    PERFORM chain_fold(p_chain, c) FROM unnest(v_consents) AS c;
    RETURN coalesce(cardinality(v_consents), 0);
END
$$;

-- Move the cursor. The polling time alone changes nothing for decisions already made, so it
-- raises no epoch; grants that became safe do, through the trigger.
CREATE FUNCTION chain_advance(p_chain bigint, p_number bigint, p_hash bytea, p_time bigint,
                              p_safe bigint, p_finalized bigint, p_agreed timestamptz)
RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO chain_cursor VALUES (p_chain, p_number, p_hash, p_time, p_safe, p_finalized, p_agreed)
    ON CONFLICT (chain) DO UPDATE SET
        number = excluded.number, hash = excluded.hash, time = excluded.time,
        safe = excluded.safe, finalized = excluded.finalized, agreed = excluded.agreed;
    UPDATE consent_chain SET safe = true
    WHERE chain = p_chain AND NOT safe AND block_number <= p_safe;
END
$$;

-- However a row changes, also by hand, the workers hear of it.
CREATE FUNCTION changed_consent() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM raise_epoch(1::smallint, array_agg(DISTINCT consent)) FROM changed HAVING count(*) > 0;
    RETURN NULL;
END
$$;
CREATE FUNCTION changed_chain() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM raise_epoch(2::smallint, array_agg(DISTINCT consent)) FROM changed HAVING count(*) > 0;
    RETURN NULL;
END
$$;
CREATE TRIGGER changed_insert AFTER INSERT ON consent
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION changed_consent();
CREATE TRIGGER changed_update AFTER UPDATE ON consent
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION changed_consent();
CREATE TRIGGER changed_delete AFTER DELETE ON consent
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION changed_consent();
CREATE TRIGGER changed_insert AFTER INSERT ON consent_chain
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION changed_chain();
CREATE TRIGGER changed_update AFTER UPDATE ON consent_chain
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION changed_chain();
CREATE TRIGGER changed_delete AFTER DELETE ON consent_chain
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION changed_chain();
