-- What one exchange leaves behind. These tables are written by batches only, so they carry no
-- foreign keys: each would be looked up for each row.

-- bytes are those that the leaf is the hash of: SHA-256(0x00 || bytes).
CREATE TABLE record (
    id       uuid NOT NULL,
    exchange uuid NOT NULL,
    instance uuid NOT NULL,
    seq      bigint NOT NULL,
    log      smallint NOT NULL,
    time     timestamptz NOT NULL,
    leaf     bytea NOT NULL CHECK (length(leaf) = 32),
    bytes    bytea NOT NULL,
    PRIMARY KEY (id)
) PARTITION BY RANGE (id);
CREATE INDEX record_exchange ON record (exchange);
INSERT INTO partitioned (name, extra) VALUES
    ('record', 'CREATE UNIQUE INDEX ON %s (instance, seq) INCLUDE (leaf)');

-- outer_layers: for each further patient the key id (16 bytes) and nonce (24) of the seal
-- around, from the inside out; NULL: one layer. Ciphertext doesn't compress, so nobody tries.
CREATE TABLE payload (
    id           uuid NOT NULL,
    exchange     uuid NOT NULL,
    kind         smallint NOT NULL,
    key          uuid NOT NULL,
    nonce        bytea NOT NULL,
    outer_layers bytea,
    ciphertext   bytea NOT NULL,
    PRIMARY KEY (id)
) PARTITION BY RANGE (id);
ALTER TABLE payload ALTER ciphertext SET STORAGE EXTERNAL;
CREATE INDEX payload_exchange ON payload (exchange);
INSERT INTO partitioned (name, options) VALUES ('payload', 'WITH (toast_tuple_target = 8160)');

CREATE TABLE opening (
    record     uuid NOT NULL,
    key        uuid NOT NULL,
    nonce      bytea NOT NULL,
    ciphertext bytea NOT NULL,
    PRIMARY KEY (record)
) PARTITION BY RANGE (record);
ALTER TABLE opening ALTER ciphertext SET STORAGE EXTERNAL;
INSERT INTO partitioned (name, options) VALUES ('opening', 'WITH (toast_tuple_target = 8160)');

-- Who saw whose data: numbers only. released: data left; else the exchange was refused.
CREATE TABLE access (
    record    uuid NOT NULL,
    exchange  uuid NOT NULL,
    time      timestamptz NOT NULL,
    patient   uuid NOT NULL,
    recipient bigint NOT NULL,
    types     bytea NOT NULL,
    released  boolean NOT NULL
) PARTITION BY RANGE (record);
CREATE INDEX access_patient ON access (patient, record);
CREATE INDEX access_recipient ON access (recipient, record);
INSERT INTO partitioned (name) VALUES ('access');

-- What a recipient number means, sealed; hash is keyed, so that equal meanings meet.
CREATE TABLE recipient (
    number     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    hash       bytea NOT NULL UNIQUE CHECK (length(hash) = 32),
    key        uuid NOT NULL,
    nonce      bytea NOT NULL,
    ciphertext bytea NOT NULL
);

CREATE FUNCTION recipient_number(p_hash bytea, p_key uuid, p_nonce bytea, p_ciphertext bytea)
RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    v_number bigint;
BEGIN
    SELECT number INTO v_number FROM recipient WHERE hash = p_hash;
    IF NOT FOUND THEN
        INSERT INTO recipient (hash, key, nonce, ciphertext)
        VALUES (p_hash, p_key, p_nonce, p_ciphertext) ON CONFLICT DO NOTHING;
        SELECT number INTO v_number FROM recipient WHERE hash = p_hash;
    END IF;
    RETURN v_number;
END
$$;

-- state: 0 open, 1 held, 2 withheld, 3 delivered, 4 parked (gateway/store/outbox.h).
-- blocks: later rows of the patient at the destination wait for this one.
-- number orders rows: who sent a second message after the ACK of the first has the higher one.
CREATE TABLE outbox (
    number      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    shard       smallint NOT NULL CHECK (shard BETWEEN 0 AND 255),
    destination text NOT NULL,
    patient     uuid NOT NULL,
    exchange    uuid NOT NULL,
    payload     uuid NOT NULL,
    route       text NOT NULL,
    state       smallint NOT NULL CHECK (state BETWEEN 0 AND 4),
    blocks      boolean NOT NULL,
    attempts    integer NOT NULL DEFAULT 0,
    created     timestamptz NOT NULL,
    next_at     timestamptz NOT NULL,
    reason      text NOT NULL DEFAULT '',
    CHECK (blocks OR state >= 2),
    CHECK (NOT blocks OR state IN (0, 1, 4))
) WITH (fillfactor = 80);
CREATE INDEX outbox_waiting ON outbox (shard, destination, patient, number) WHERE blocks;
CREATE INDEX outbox_exchange ON outbox (exchange);
CREATE INDEX outbox_state ON outbox (destination, state, number) WHERE state IN (2, 4);

CREATE TABLE shard_lease (
    shard  smallint PRIMARY KEY CHECK (shard BETWEEN 0 AND 255),
    owner  uuid,
    epoch  bigint NOT NULL DEFAULT 0,
    expiry timestamptz NOT NULL DEFAULT '-infinity'
) WITH (fillfactor = 50);
INSERT INTO shard_lease (shard) SELECT generate_series(0, 255);

-- Who wants shards; those that stay away are forgotten.
CREATE TABLE shard_owner (
    owner  uuid PRIMARY KEY,
    expiry timestamptz NOT NULL
);

-- Renew p_owner's leases and take free ones up to an even share; returns all it holds now.
-- share tells it how many it may keep: what is above, it gives back when they are quiet.
CREATE FUNCTION outbox_lease(p_owner uuid, p_ttl interval)
RETURNS TABLE (shard smallint, epoch bigint, expiry timestamptz, share integer)
LANGUAGE plpgsql AS $$
DECLARE
    v_now    timestamptz := clock_timestamp();
    v_share  integer;
    v_held   integer;
BEGIN
    PERFORM pg_advisory_xact_lock(7237004);
    INSERT INTO shard_owner AS o (owner, expiry) VALUES (p_owner, v_now + p_ttl)
    ON CONFLICT (owner) DO UPDATE SET expiry = excluded.expiry;
    DELETE FROM shard_owner o WHERE o.expiry < v_now;
    SELECT (256 + count(*) - 1) / count(*) INTO v_share FROM shard_owner;

    UPDATE shard_lease l SET expiry = v_now + p_ttl WHERE l.owner = p_owner;
    GET DIAGNOSTICS v_held = ROW_COUNT;
    UPDATE shard_lease l SET owner = p_owner, epoch = l.epoch + 1, expiry = v_now + p_ttl
    WHERE l.shard IN (SELECT f.shard FROM shard_lease f
                      WHERE f.owner IS DISTINCT FROM p_owner AND f.expiry < v_now
                      ORDER BY f.expiry, f.shard LIMIT greatest(v_share - v_held, 0));
    RETURN QUERY SELECT l.shard, l.epoch, l.expiry, v_share FROM shard_lease l
                 WHERE l.owner = p_owner ORDER BY l.shard;
END
$$;

CREATE FUNCTION outbox_release(p_owner uuid, p_shards smallint[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(7237004);
    UPDATE shard_lease SET owner = NULL, expiry = '-infinity'
    WHERE owner = p_owner AND shard = ANY (p_shards);
    DELETE FROM shard_owner o
    WHERE o.owner = p_owner AND NOT EXISTS (SELECT FROM shard_lease l WHERE l.owner = p_owner);
END
$$;

-- Change rows after a delivery run. All of them, or none: a row whose shard the owner doesn't
-- hold any more under that lease epoch, or that isn't waiting any more, fails the transaction.
CREATE FUNCTION outbox_mark(p_owner uuid, p_number bigint[], p_lease bigint[], p_state smallint[],
                            p_blocks boolean[], p_attempts integer[], p_next_at timestamptz[],
                            p_reason text[]) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_changed integer;
BEGIN
    -- The share lock keeps a take-over out until the commit.
    PERFORM FROM shard_lease l WHERE l.shard IN
        (SELECT o.shard FROM outbox o WHERE o.number = ANY (p_number))
    ORDER BY l.shard FOR SHARE;
    UPDATE outbox o SET state = m.state, blocks = m.blocks, attempts = m.attempts,
                        next_at = m.next_at, reason = m.reason
    FROM unnest(p_number, p_lease, p_state, p_blocks, p_attempts, p_next_at, p_reason)
             AS m (number, lease, state, blocks, attempts, next_at, reason),
         shard_lease l
    WHERE o.number = m.number AND o.state IN (0, 1) AND l.shard = o.shard
      AND l.owner = p_owner AND l.epoch = m.lease AND l.expiry > clock_timestamp();
    GET DIAGNOSTICS v_changed = ROW_COUNT;
    IF v_changed <> cardinality(p_number) THEN
        RAISE EXCEPTION 'lease is lost' USING ERRCODE = 'CS003';
    END IF;
END
$$;

-- HL7 v2 messages taken in the last days. Two messages may share a key: senders repeat ids.
CREATE TABLE control_id (
    key    bytea NOT NULL CHECK (length(key) = 32),
    digest bytea NOT NULL CHECK (length(digest) = 32),
    ack    text NOT NULL,
    time   timestamptz NOT NULL,
    PRIMARY KEY (key, digest)
);
CREATE INDEX control_id_time ON control_id USING brin (time);

-- Enter the messages of a batch; returns the keys that other messages had before. If one of
-- them was entered already, the transaction fails and the batch is made again without it.
CREATE FUNCTION control_enter(p_key bytea[], p_digest bytea[], p_ack text[], p_time timestamptz[])
RETURNS SETOF bytea
LANGUAGE plpgsql AS $$
DECLARE
    v_new integer;
BEGIN
    INSERT INTO control_id (key, digest, ack, time)
    SELECT * FROM unnest(p_key, p_digest, p_ack, p_time) AS c (key, digest, ack, time)
    ORDER BY c.key, c.digest
    ON CONFLICT DO NOTHING;
    GET DIAGNOSTICS v_new = ROW_COUNT;
    IF v_new <> cardinality(p_key) THEN
        RAISE EXCEPTION 'message was taken before' USING ERRCODE = 'CS004';
    END IF;
    RETURN QUERY SELECT DISTINCT c.key FROM unnest(p_key, p_digest) AS c (key, digest)
                 JOIN control_id o ON o.key = c.key AND o.digest <> c.digest;
END
$$;
