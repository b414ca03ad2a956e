-- Whose database this is, the epoch that workers follow, the processes that write here, and
-- the months that the large tables are cut into.
--
-- Errors that the gateway tells apart are raised as CS001 and up; gateway/store/db.c has the
-- table of what each becomes.

CREATE TABLE tenant (
    one     boolean PRIMARY KEY DEFAULT true CHECK (one),
    name    text NOT NULL CHECK (name <> ''),
    created timestamptz NOT NULL DEFAULT now()
);

-- One counter. Whoever changes what a decision rests on raises it in the same transaction.
CREATE TABLE epoch (
    one   boolean PRIMARY KEY DEFAULT true CHECK (one),
    value bigint NOT NULL
) WITH (fillfactor = 10);
INSERT INTO epoch (value) VALUES (1);

-- What changed at which epoch. kind: 1 consent, 2 chain state, 3 key, 4 patient link, 5 token.
CREATE TABLE change (
    epoch bigint NOT NULL,
    kind  smallint NOT NULL,
    ref   bytea NOT NULL,
    at    timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX change_epoch ON change (epoch);

-- The lock makes "recorded at epoch n" and "epoch is n + 1" exclude each other: batches hold it
-- shared to their commit, a raise holds it alone. It is an advisory lock because a shared row
-- lock would write to the row in every batch.
CREATE FUNCTION raise_epoch(p_kind smallint, p_refs bytea[]) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    v_epoch bigint;
BEGIN
    PERFORM pg_advisory_xact_lock(7237001);
    UPDATE epoch SET value = value + 1 RETURNING value INTO v_epoch;
    INSERT INTO change (epoch, kind, ref) SELECT v_epoch, p_kind, r FROM unnest(p_refs) AS r;
    PERFORM pg_notify('chartseal_epoch', '');
    RETURN v_epoch;
END
$$;

-- A process that records. seq: how many records of it are committed; batch: its last committed
-- transaction; generation: raised at each connection, so that a transaction still under way on
-- a lost connection either has ended or will fail.
CREATE TABLE instance (
    id         uuid PRIMARY KEY,
    started    timestamptz NOT NULL DEFAULT now(),
    generation bigint NOT NULL DEFAULT 0,
    batch      bigint NOT NULL DEFAULT 0,
    seq        bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 20);

CREATE FUNCTION instance_connect(p_id uuid, OUT generation bigint, OUT batch bigint, OUT seq bigint)
LANGUAGE sql AS $$
    INSERT INTO instance AS i (id, generation) VALUES (p_id, 1)
    ON CONFLICT (id) DO UPDATE SET generation = i.generation + 1
    RETURNING i.generation, i.batch, i.seq
$$;

-- First statement of each recording transaction.
CREATE FUNCTION batch_begin(p_instance uuid, p_generation bigint, p_batch bigint, p_seq bigint,
                            p_count bigint, p_epoch bigint) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(7237001);
    IF (SELECT value FROM epoch) > p_epoch THEN
        RAISE EXCEPTION 'epoch is ahead' USING ERRCODE = 'CS001';
    END IF;
    UPDATE instance SET batch = p_batch, seq = seq + p_count
    WHERE id = p_instance AND generation = p_generation AND seq = p_seq AND batch < p_batch;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'instance is fenced off' USING ERRCODE = 'CS002';
    END IF;
END
$$;

-- Large tables are cut by the month that a version 7 UUID carries in its first 48 bits.
CREATE FUNCTION uuid_floor(p_at timestamptz) RETURNS uuid LANGUAGE sql STABLE AS $$
    SELECT (lpad(to_hex((extract(epoch FROM p_at) * 1000)::bigint), 12, '0')
            || repeat('0', 20))::uuid
$$;

CREATE TABLE partitioned (
    name    name PRIMARY KEY,
    options text NOT NULL DEFAULT '',
    extra   text -- an index that each month has of its own; %s is the month's table
);

-- Make the tables from the month before p_at to p_ahead months after it; returns how many.
CREATE FUNCTION make_partitions(p_at timestamptz, p_ahead integer) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    v_table partitioned;
    v_first timestamptz;
    v_part  text;
    v_made  integer := 0;
BEGIN
    PERFORM pg_advisory_xact_lock(7237002);
    FOR v_table IN SELECT * FROM partitioned LOOP
        FOR i IN -1..p_ahead LOOP
            v_first := (date_trunc('month', p_at, 'UTC') AT TIME ZONE 'UTC'
                        + make_interval(months => i)) AT TIME ZONE 'UTC';
            v_part := v_table.name || to_char(v_first AT TIME ZONE 'UTC', '_YYYY_MM');
            CONTINUE WHEN to_regclass(quote_ident(v_part)) IS NOT NULL;
            EXECUTE format('CREATE TABLE %I PARTITION OF %I FOR VALUES FROM (%L) TO (%L) %s', v_part,
                           v_table.name, uuid_floor(v_first),
                           uuid_floor((v_first AT TIME ZONE 'UTC' + interval '1 month')
                                      AT TIME ZONE 'UTC'), v_table.options);
            IF v_table.extra IS NOT NULL THEN
                EXECUTE format(v_table.extra, quote_ident(v_part));
            END IF;
            v_made := v_made + 1;
        END LOOP;
    END LOOP;
    RETURN v_made;
END
$$;
