-- The notary's side: order of the leaves, tree, checkpoints, anchors, relayed transactions.
-- log: number of the tree; there is one, 0, and every row names it from the start.

-- Each leader raises it, each of its writes checks it: the lock alone stops no paused leader.
CREATE TABLE notary_epoch (
    one    boolean PRIMARY KEY DEFAULT true CHECK (one),
    value  bigint NOT NULL,
    holder uuid
);
INSERT INTO notary_epoch (value) VALUES (0);

CREATE FUNCTION notary_fence(p_epoch bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM notary_epoch WHERE value = p_epoch FOR SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'another notary leads' USING ERRCODE = 'CS005';
    END IF;
END
$$;

-- Try to lead: the new epoch, or 0 if another session holds the lock. A leader that says nothing
-- for a while (stopped, or cut off) loses its session, and with it the lock.
CREATE FUNCTION notary_lead(p_holder uuid) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    v_epoch bigint;
BEGIN
    IF NOT pg_try_advisory_lock(7237005) THEN
        RETURN 0;
    END IF;
    PERFORM set_config('idle_session_timeout', '15s', false);
    UPDATE notary_epoch SET value = value + 1, holder = p_holder RETURNING value INTO v_epoch;
    RETURN v_epoch;
END
$$;

-- How far each instance has been read.
CREATE TABLE instance_cursor (
    instance uuid PRIMARY KEY,
    seq      bigint NOT NULL
) WITH (fillfactor = 20);

-- Leaves first_index .. first_index + count - 1 are records first_seq .. of the instance.
CREATE TABLE leaf_range (
    log         smallint NOT NULL,
    first_index bigint NOT NULL,
    instance    uuid NOT NULL,
    first_seq   bigint NOT NULL,
    count       bigint NOT NULL CHECK (count > 0),
    PRIMARY KEY (log, first_index)
);
CREATE UNIQUE INDEX leaf_range_instance ON leaf_range (instance, first_seq);

-- Hash tiles of 256; one that isn't full grows, and what it held stays in front.
CREATE TABLE tile (
    log    smallint NOT NULL,
    level  smallint NOT NULL,
    index  bigint NOT NULL,
    width  smallint NOT NULL CHECK (width BETWEEN 1 AND 256),
    hashes bytea NOT NULL CHECK (length(hashes) = 32 * width),
    PRIMARY KEY (log, level, index)
);
ALTER TABLE tile ALTER hashes SET STORAGE EXTERNAL;

CREATE TABLE tree_head (
    log      smallint PRIMARY KEY,
    size     bigint NOT NULL,
    root     bytea NOT NULL CHECK (length(root) = 32),
    frontier bytea NOT NULL,
    epoch    bigint NOT NULL
);
-- The empty tree: SHA-256 of nothing.
INSERT INTO tree_head VALUES
    (0, 0, '\xe3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855', '', 0);

-- Next order of leaves: (instance, first_seq, count) in the order of the arrays. It must follow
-- each instance's cursor without a gap. A run that continues the last range lengthens it.
CREATE FUNCTION log_order(p_log smallint, p_first bigint, p_instance uuid[], p_seq bigint[],
                          p_count bigint[]) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_index bigint := p_first;
BEGIN
    FOR i IN 1..cardinality(p_instance) LOOP
        INSERT INTO instance_cursor AS c (instance, seq) SELECT p_instance[i], p_count[i]
        WHERE p_seq[i] = 1
        ON CONFLICT DO NOTHING;
        IF NOT FOUND THEN
            UPDATE instance_cursor SET seq = seq + p_count[i]
            WHERE instance = p_instance[i] AND seq = p_seq[i] - 1;
        END IF;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'order leaves a gap' USING ERRCODE = 'CS005';
        END IF;
        UPDATE leaf_range r SET count = r.count + p_count[i]
        WHERE r.log = p_log AND r.instance = p_instance[i] AND r.first_seq + r.count = p_seq[i]
          AND r.first_index = (SELECT max(first_index) FROM leaf_range WHERE log = p_log);
        IF NOT FOUND THEN
            INSERT INTO leaf_range VALUES (p_log, v_index, p_instance[i], p_seq[i], p_count[i]);
        END IF;
        v_index := v_index + p_count[i];
    END LOOP;
END
$$;

CREATE FUNCTION tile_put(p_log smallint, p_level smallint[], p_index bigint[], p_hashes bytea[])
RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_put integer;
BEGIN
    INSERT INTO tile AS t (log, level, index, width, hashes)
    SELECT p_log, n.level, n.index, length(n.hashes) / 32, n.hashes
    FROM unnest(p_level, p_index, p_hashes) AS n (level, index, hashes)
    ON CONFLICT (log, level, index) DO UPDATE SET width = excluded.width, hashes = excluded.hashes
    WHERE t.hashes = substr(excluded.hashes, 1, length(t.hashes));
    GET DIAGNOSTICS v_put = ROW_COUNT;
    IF v_put <> cardinality(p_level) THEN
        RAISE EXCEPTION 'tile would change' USING ERRCODE = 'CS005';
    END IF;
END
$$;

-- Compare and set.
CREATE FUNCTION head_move(p_log smallint, p_size bigint, p_root bytea, p_new_size bigint,
                          p_new_root bytea, p_frontier bytea, p_epoch bigint) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE tree_head SET size = p_new_size, root = p_new_root, frontier = p_frontier, epoch = p_epoch
    WHERE log = p_log AND size = p_size AND root = p_root AND epoch <= p_epoch AND size < p_new_size;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'head is not where it was' USING ERRCODE = 'CS005';
    END IF;
END
$$;

CREATE TABLE checkpoint (
    log    smallint NOT NULL,
    size   bigint NOT NULL,
    root   bytea NOT NULL CHECK (length(root) = 32),
    note   text NOT NULL,
    signed timestamptz NOT NULL,
    PRIMARY KEY (log, size)
);

CREATE FUNCTION checkpoint_put(p_log smallint, p_size bigint, p_root bytea, p_note text,
                               p_signed timestamptz) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO checkpoint (log, size, root, note, signed)
    SELECT p_log, p_size, p_root, p_note, p_signed FROM tree_head h
    WHERE h.log = p_log AND (h.size > p_size OR h.size = p_size AND h.root = p_root);
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the head has no such tree' USING ERRCODE = 'CS005';
    END IF;
END
$$;

-- Transactions that anchor. state: 0 planned, 1 signed, 2 broadcast, 3 mined, 4 safe,
-- 5 finalized, 6 replaced, 7 reorged, 8 failed. raw is stored before it is sent.
CREATE TABLE anchor (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    log          smallint NOT NULL,
    size         bigint NOT NULL,
    root         bytea NOT NULL,
    note_hash    bytea NOT NULL,
    chain        bigint NOT NULL,
    contract     bytea NOT NULL,
    sender       bytea NOT NULL,
    state        smallint NOT NULL DEFAULT 0 CHECK (state BETWEEN 0 AND 8),
    nonce        bigint,
    max_fee      bigint,
    tip          bigint,
    raw          bytea,
    hash         bytea UNIQUE,
    block_number bigint,
    block_hash   bytea,
    proof        bytea,
    reason       text NOT NULL DEFAULT '',
    created      timestamptz NOT NULL DEFAULT now(),
    changed      timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX anchor_open ON anchor (chain, state) WHERE state < 5 OR state = 7;
CREATE INDEX anchor_size ON anchor (log, size);

-- Grants, revocations and rotations that the relaying account sends, same states.
-- kind: 1 grant, 2 revoke, 3 rotate, 4 revoke by attestor.
CREATE TABLE relay (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    consent      bytea NOT NULL,
    version      integer NOT NULL,
    kind         smallint NOT NULL,
    chain        bigint NOT NULL,
    call         bytea NOT NULL,
    state        smallint NOT NULL DEFAULT 0 CHECK (state BETWEEN 0 AND 8),
    nonce        bigint,
    max_fee      bigint,
    tip          bigint,
    raw          bytea,
    hash         bytea,
    block_number bigint,
    block_hash   bytea,
    reason       text NOT NULL DEFAULT '',
    created      timestamptz NOT NULL DEFAULT now(),
    changed      timestamptz NOT NULL DEFAULT now(),
    UNIQUE (consent, version, kind)
);
CREATE INDEX relay_open ON relay (chain, id) WHERE state < 5 OR state = 7;

-- Write what is known of a sending. It never goes back from finalized.
CREATE FUNCTION anchor_update(p_id bigint, p_state smallint, p_nonce bigint, p_max_fee bigint,
                              p_tip bigint, p_raw bytea, p_hash bytea, p_block_number bigint,
                              p_block_hash bytea, p_reason text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE anchor SET state = p_state, nonce = p_nonce, max_fee = p_max_fee, tip = p_tip,
                      raw = p_raw, hash = p_hash, block_number = p_block_number,
                      block_hash = p_block_hash, reason = p_reason, changed = now()
    WHERE id = p_id AND (state <> 5 OR p_state = 5);
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no such sending' USING ERRCODE = 'CS005';
    END IF;
END
$$;

CREATE FUNCTION relay_update(p_id bigint, p_state smallint, p_nonce bigint, p_max_fee bigint,
                             p_tip bigint, p_raw bytea, p_hash bytea, p_block_number bigint,
                             p_block_hash bytea, p_reason text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE relay SET state = p_state, nonce = p_nonce, max_fee = p_max_fee, tip = p_tip,
                     raw = p_raw, hash = p_hash, block_number = p_block_number,
                     block_hash = p_block_hash, reason = p_reason, changed = now()
    WHERE id = p_id AND (state <> 5 OR p_state = 5);
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no such sending' USING ERRCODE = 'CS005';
    END IF;
END
$$;

-- Plan a call, once; one that failed is planned again. A revocation acts from here on, the chain
-- follows; chain_fold() knows of it too.
CREATE FUNCTION relay_plan(p_consent bytea, p_version integer, p_kind smallint, p_chain bigint,
                           p_call bytea) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    v_id bigint;
BEGIN
    INSERT INTO relay AS r (consent, version, kind, chain, call)
    VALUES (p_consent, p_version, p_kind, p_chain, p_call)
    ON CONFLICT (consent, version, kind) DO UPDATE SET
        chain = excluded.chain, call = excluded.call, state = 0, nonce = NULL, raw = NULL,
        hash = NULL, block_number = NULL, block_hash = NULL, reason = '', changed = now()
    WHERE r.state = 8
    RETURNING id INTO v_id;
    IF v_id IS NULL THEN
        SELECT id INTO v_id FROM relay
        WHERE consent = p_consent AND version = p_version AND kind = p_kind;
    END IF;
    UPDATE consent_chain SET revoked = true
    WHERE consent = p_consent AND chain = p_chain AND version = p_version AND p_kind IN (2, 4)
      AND NOT revoked;
    PERFORM pg_notify('chartseal_relay', '');
    RETURN v_id;
END
$$;

-- What is due now and then.
CREATE FUNCTION upkeep(p_now timestamptz, p_ahead integer, p_control interval,
                       p_delivered interval, p_change interval) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM make_partitions(p_now, p_ahead);
    DELETE FROM control_id WHERE time < p_now - p_control;
    DELETE FROM outbox WHERE state = 3 AND next_at < p_now - p_delivered;
    DELETE FROM change WHERE at < p_now - p_change;
    DELETE FROM chain_block b USING chain_cursor c
    WHERE b.chain = c.chain AND b.number < c.finalized - 1024;
END
$$;
