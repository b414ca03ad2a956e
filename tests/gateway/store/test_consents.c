#include "gateway/store/chain.h"
#include "gateway/store/consents.h"
#include "gateway/store/notary.h"
#include "tests/gateway/store/with_db.h"

enum { CHAIN = 31337 };

static uint64_t fence;
static struct store_cursor at = { .chain = CHAIN };

static void look_epoch(struct store_end *end, const struct db_rows *rows)
{
    store_epoch_row(rows, end->arg);
}

static struct store_epoch epoch(void)
{
    struct store_epoch got;
    struct store_end end = { .look = look_epoch, .arg = &got };
    assert_int_equal(store_ended(store_epoch(db, CHAIN, store_on_end, &end), &end), 0);
    return got;
}

static void file(uint8_t id, uint16_t version, int want)
{
    struct store_consent c = { .version = version, .sealed = STR("sealed"), .filed = 1 };
    memset(c.id, id, sizeof(c.id));
    memset(c.commitment, version, sizeof(c.commitment));
    struct store_end end = { 0 };
    assert_int_equal(store_ended(store_consent_file(db, &c, store_on_end, &end), &end), want);
}

static void look_consent(struct store_end *end, const struct db_rows *rows)
{
    if (db_count(rows)) {
        assert_int_equal(store_consent_row(rows, db_count(rows) - 1, end->arg), 0);
    }
}

/* The last of the current versions of consent @id; returns how many there are. */
static int read(uint8_t id, struct store_consent *out)
{
    uint8_t bytes[32];
    memset(bytes, id, sizeof(bytes));
    *out = (struct store_consent){ 0 };
    struct store_end end = { .look = look_consent, .arg = out };
    assert_int_equal(store_ended(store_consent_by_id(db, bytes, 1, store_on_end, &end), &end),
                     0);
    return end.count;
}

static void look_identity(struct store_end *end, const struct db_rows *rows)
{
    assert_int_equal(store_consent_identity_row(rows, end->arg), 0);
}

/* The consent that identifier @hash of @patient means, being @id if it meant none. */
static uint8_t identity(const uint8_t patient[16], uint8_t hash, uint8_t id)
{
    uint8_t hashes[32];
    uint8_t ids[32];
    uint8_t got[32] = { 0 };
    memset(hashes, hash, sizeof(hashes));
    memset(ids, id, sizeof(ids));
    struct store_end end = { .look = look_identity, .arg = got };
    struct op *op = store_consent_identity(db, patient, hashes, ids, store_on_end, &end);
    assert_int_equal(store_ended(op, &end), 0);
    return got[0];
}

static struct store_event event(enum store_event_kind kind, uint8_t consent, uint16_t version)
{
    struct store_event e = { .kind = kind, .version = version, .valid_until = 99 };
    memset(e.consent, consent, 32);
    memset(e.commitment, version, 32);
    return e;
}

/* One block more, of branch @branch, with at most one event; @safe lies behind by that many. */
static int advance(uint8_t branch, const struct store_event *e, uint64_t safe_behind)
{
    struct store_block block = { .number = at.number + 1, .time = at.time + 1 };
    memcpy(block.parent, at.hash, 32);
    memset(block.hash, branch, 32);
    block.hash[0] = (uint8_t)block.number;
    struct store_event of = { 0 };
    if (e) {
        of = *e;
        of.block_number = block.number;
        memcpy(of.block_hash, block.hash, 32);
    }
    struct store_cursor next = {
        .chain = CHAIN, .number = block.number, .time = block.time, .agreed = store_now_ms()
    };
    memcpy(next.hash, block.hash, 32);
    next.safe = next.number > safe_behind ? next.number - safe_behind : 0;
    struct store_advance step = { .fence = fence,
                                  .cursor = &next,
                                  .blocks = &block,
                                  .block_count = 1,
                                  .events = &of,
                                  .event_count = e ? 1 : 0 };
    struct store_end end = { 0 };
    int r = store_ended(store_chain_advance(db, &step, store_on_end, &end), &end);
    if (r == 0) {
        at = next;
    }
    return r;
}

static void look_cursor(struct store_end *end, const struct db_rows *rows)
{
    assert_int_equal(store_cursor_row(rows, 0, end->arg), 0);
}

static void rollback(uint64_t number)
{
    struct store_end end = { 0 };
    assert_int_equal(
        store_ended(store_chain_rollback(db, fence, CHAIN, number, store_on_end, &end), &end),
        0);
    end = (struct store_end){ .look = look_cursor, .arg = &at };
    assert_int_equal(store_ended(store_cursor(db, CHAIN, store_on_end, &end), &end), 0);
    assert_int_equal(at.number, number);
}

static void test_filing_supersedes_and_raises_the_epoch(void **state)
{
    (void)state;
    struct store_consent c;
    uint64_t before = epoch().epoch;
    file(1, 1, 0);
    assert_true(epoch().epoch > before);
    file(1, 1, -EEXIST);
    assert_int_equal(read(1, &c), 1);
    assert_int_equal(c.version, 1);
    assert_false(c.on_chain.known);
    file(1, 2, 0);
    assert_int_equal(read(1, &c), 1);
    assert_int_equal(c.version, 2);
    assert_int_equal(read(2, &c), 0);
}

/* One identifier means one consent of a patient, until the patient's keys are destroyed. */
static void test_an_identifier_means_one_consent(void **state)
{
    (void)state;
    uint8_t one[16] = { 1 };
    uint8_t other[16] = { 2 };
    (void)store_sql("INSERT INTO patient (id) VALUES ('01000000-0000-0000-0000-000000000000'),"
                    " ('02000000-0000-0000-0000-000000000000')");
    assert_int_equal(identity(one, 5, 11), 11);
    assert_int_equal(identity(one, 5, 12), 11);
    assert_int_equal(identity(one, 6, 13), 13);
    assert_int_equal(identity(other, 5, 14), 14);
    (void)store_sql("INSERT INTO patient_key (id, patient, root, wrapped) VALUES"
                    " (gen_random_uuid(), '01000000-0000-0000-0000-000000000000', 'r', 'w')");
    (void)store_sql("UPDATE patient_key SET wrapped = NULL, destroyed = now() WHERE patient ="
                    " '01000000-0000-0000-0000-000000000000'");
    assert_int_equal(identity(one, 5, 15), 15);
    assert_int_equal(identity(other, 5, 16), 14);
}

static void test_grants_count_once_safe_and_revocations_at_once(void **state)
{
    (void)state;
    struct store_consent c;
    struct store_event grant = event(STORE_EVENT_GRANTED, 1, 1);
    assert_int_equal(advance(0, NULL, 2), 0);
    assert_int_equal(advance(0, &grant, 2), 0);
    /* The chain holds version 1, so that one is current besides the one last filed. */
    assert_int_equal(read(1, &c), 2);
    assert_true(c.on_chain.known && !c.on_chain.safe && !c.on_chain.revoked);
    assert_int_equal(c.on_chain.version, 1);
    assert_int_equal(advance(0, NULL, 2), 0);
    uint64_t before = epoch().epoch;
    assert_int_equal(advance(0, NULL, 2), 0);
    (void)read(1, &c);
    assert_true(c.on_chain.safe);
    assert_true(epoch().epoch > before);
    before = epoch().epoch;
    assert_int_equal(advance(0, NULL, 2), 0);
    assert_int_equal(epoch().epoch, before); /* nothing changed for anybody */

    struct store_event revoke = event(STORE_EVENT_REVOKED, 1, 1);
    assert_int_equal(advance(0, &revoke, 2), 0);
    (void)read(1, &c);
    assert_true(c.on_chain.revoked);
}

static void test_a_rollback_takes_grants_and_leaves_revocations(void **state)
{
    (void)state;
    struct store_consent c;
    uint64_t fork = at.number - 1; /* before the revocation */
    struct store_event grant = event(STORE_EVENT_GRANTED, 3, 1);
    file(3, 1, 0);
    assert_int_equal(advance(0, &grant, 0), 0);
    (void)read(3, &c);
    assert_true(c.on_chain.known && c.on_chain.safe);

    uint64_t before = epoch().epoch;
    rollback(fork);
    (void)read(3, &c);
    assert_false(c.on_chain.known);
    (void)read(1, &c);
    assert_true(c.on_chain.revoked);
    assert_true(epoch().epoch > before);
    struct store_end end = { 0 };
    assert_int_equal(store_ended(store_chain_removed(db, CHAIN, store_on_end, &end), &end), 0);
    assert_int_equal(end.count, 1);

    /* A higher version lifts it. */
    struct store_event again = event(STORE_EVENT_GRANTED, 1, 2);
    assert_int_equal(advance(1, &again, 0), 0);
    assert_int_equal(read(1, &c), 1);
    assert_int_equal(c.on_chain.version, 2);
    assert_false(c.on_chain.revoked);

    struct store_event rotate = event(STORE_EVENT_ROTATED, 1, 3);
    memset(rotate.controller, 7, 20);
    assert_int_equal(advance(1, &rotate, 0), 0);
    (void)read(1, &c);
    assert_int_equal(c.on_chain.version, 3);
    assert_int_equal(c.on_chain.controller[0], 7);
    assert_int_equal(c.on_chain.commitment[0], 2);
}

static void test_a_revocation_acts_before_the_chain_has_it(void **state)
{
    (void)state;
    struct store_consent c;
    struct store_event grant = event(STORE_EVENT_GRANTED, 4, 1);
    file(4, 1, 0);
    assert_int_equal(advance(1, &grant, 0), 0);
    (void)read(4, &c);
    assert_false(c.on_chain.revoked);
    uint64_t before = epoch().epoch;
    (void)store_sql("SELECT relay_plan(consent, 1, 2::smallint, chain, '') FROM consent_chain"
                    " WHERE get_byte(consent, 0) = 4");
    assert_true(epoch().epoch > before);
    (void)read(4, &c);
    assert_true(c.on_chain.revoked);
    (void)store_sql("SELECT chain_fold(31337, array_agg(consent)) FROM consent_chain");
    (void)read(4, &c);
    assert_true(c.on_chain.revoked);

    grant = event(STORE_EVENT_GRANTED, 4, 2);
    file(4, 2, 0);
    assert_int_equal(advance(1, &grant, 0), 0);
    (void)read(4, &c);
    assert_false(c.on_chain.revoked);
}

static void look_standing(struct store_end *end, const struct db_rows *rows)
{
    char *out = end->arg;
    for (int i = 0; i < db_count(rows); i++) {
        struct store_consent c;
        assert_int_equal(store_consent_row(rows, i, &c), 0);
        out += sprintf(out, "%s%u:%u", i ? ", " : "", c.version, c.on_chain.granted);
        if (c.on_chain.version != c.on_chain.granted) {
            out += sprintf(out, ">%u", c.on_chain.version);
        }
        out += sprintf(out, " %s",
                       c.on_chain.revoked ? "revoked"
                       : c.on_chain.safe  ? "safe"
                                          : "seen");
    }
}

/* "stored:granted>rotated standing" of each current version of consent @id. */
static void assert_standing(uint8_t id, const char *want)
{
    uint8_t bytes[32];
    char got[256] = "";
    memset(bytes, id, sizeof(bytes));
    struct store_end end = { .look = look_standing, .arg = got };
    assert_int_equal(store_ended(store_consent_by_id(db, bytes, 1, store_on_end, &end), &end),
                     0);
    assert_string_equal(got, want);
}

static void plan_revocation(uint8_t id, unsigned version)
{
    char sql[256];
    (void)snprintf(sql, sizeof(sql),
                   "SELECT relay_plan(consent, %u, 2::smallint, chain, '') FROM consent_chain"
                   " WHERE get_byte(consent, 0) = %u",
                   version, id);
    (void)store_sql(sql);
}

/* Version 1 of consent @id in force, version 2 seen in the block of @at. */
static void in_flight(uint8_t id)
{
    struct store_event first = event(STORE_EVENT_GRANTED, id, 1);
    struct store_event second = event(STORE_EVENT_GRANTED, id, 2);
    file(id, 1, 0);
    assert_int_equal(advance(id, &first, 0), 0);
    file(id, 2, 0);
    assert_standing(id, "1:1 safe, 2:1 safe"); /* the second isn't granted yet */
    assert_int_equal(advance(id, &second, 1), 0);
    assert_standing(id, "1:1 safe, 2:2 seen");
}

static void test_a_version_stays_in_force_until_the_next_is_safe(void **state)
{
    (void)state;
    in_flight(10);
    uint64_t before = epoch().epoch;
    assert_int_equal(advance(1, NULL, 1), 0);
    assert_standing(10, "2:2 safe");
    assert_true(epoch().epoch > before);

    in_flight(11); /* a reorganisation takes the new grant: the old one never left */
    rollback(at.number - 1);
    assert_standing(11, "1:1 safe, 2:1 safe");
}

static void test_of_two_in_flight_the_first_is_in_force_once_safe(void **state)
{
    (void)state;
    struct store_event first = event(STORE_EVENT_GRANTED, 40, 1);
    struct store_event second = event(STORE_EVENT_GRANTED, 40, 2);
    file(40, 1, 0);
    file(40, 2, 0);
    assert_int_equal(advance(0, &first, 1), 0);
    assert_int_equal(advance(0, &second, 2), 0);
    assert_standing(40, "2:2 seen");
    assert_int_equal(advance(0, NULL, 2), 0);
    assert_standing(40, "1:1 safe, 2:2 seen");
    assert_int_equal(advance(0, NULL, 2), 0);
    assert_standing(40, "2:2 safe");
}

static void test_a_revocation_ends_both_versions(void **state)
{
    (void)state;
    struct store_event revoke = event(STORE_EVENT_REVOKED, 12, 2);
    in_flight(12);
    assert_int_equal(advance(2, &revoke, 2), 0);
    assert_standing(12, "1:1 revoked, 2:2 revoked");

    in_flight(13); /* one that waits to be relayed, whichever version it names */
    plan_revocation(13, 2);
    assert_standing(13, "1:1 revoked, 2:2 revoked");
    assert_int_equal(advance(2, NULL, 0), 0);
    assert_standing(13, "2:2 revoked");

    /* The old version was revoked: it stays so, and the new one counts once it is safe. */
    struct store_event grant = event(STORE_EVENT_GRANTED, 14, 2);
    file(14, 1, 0);
    struct store_event first = event(STORE_EVENT_GRANTED, 14, 1);
    assert_int_equal(advance(2, &first, 0), 0);
    plan_revocation(14, 1);
    file(14, 2, 0);
    assert_int_equal(advance(2, &grant, 1), 0);
    assert_standing(14, "1:1 revoked, 2:2 revoked");
    assert_int_equal(advance(2, NULL, 1), 0);
    assert_standing(14, "2:2 safe");
}

static void test_a_rotation_spends_a_version_and_changes_nothing(void **state)
{
    (void)state;
    struct store_event grant = event(STORE_EVENT_GRANTED, 20, 1);
    struct store_event rotate = event(STORE_EVENT_ROTATED, 20, 2);
    file(20, 1, 0);
    assert_int_equal(advance(3, &grant, 0), 0);
    assert_int_equal(advance(3, &rotate, 0), 0);
    assert_standing(20, "1:1>2 safe");
    rollback(at.number - 1);
    assert_standing(20, "1:1 safe");
    assert_int_equal(advance(4, &rotate, 0), 0);

    struct store_event next = event(STORE_EVENT_GRANTED, 20, 3);
    file(20, 3, 0);
    assert_int_equal(advance(4, &next, 1), 0);
    assert_standing(20, "1:1>2 safe, 3:3 seen");
    assert_int_equal(advance(4, NULL, 1), 0);
    assert_standing(20, "3:3 safe");

    struct store_event again = event(STORE_EVENT_ROTATED, 20, 4);
    struct store_event revoke = event(STORE_EVENT_REVOKED, 20, 4);
    assert_int_equal(advance(4, &again, 0), 0);
    assert_int_equal(advance(4, &revoke, 0), 0);
    assert_standing(20, "3:3>4 revoked");
}

static void test_blocks_show_the_fork_point(void **state)
{
    (void)state;
    struct store_end end = { 0 };
    assert_int_equal(
        store_ended(store_blocks(db, CHAIN, at.number, 3, store_on_end, &end), &end), 0);
    assert_int_equal(end.count, 3);
}

static void test_a_change_by_hand_is_noticed(void **state)
{
    (void)state;
    uint64_t before = epoch().epoch;
    (void)store_sql("UPDATE consent SET sealed = 'x' WHERE version = 2");
    (void)store_sql("DELETE FROM consent_chain");
    assert_int_equal(epoch().epoch, before + 2);
    struct store_end end = { 0 };
    assert_int_equal(store_ended(store_changes(db, before, 10, store_on_end, &end), &end), 0);
    assert_true(end.count >= 2);
}

static void test_all_are_loaded_in_chunks(void **state)
{
    (void)state;
    (void)store_sql(
        "INSERT INTO consent SELECT sha256(int4send(n)), 1,"
        " '00000000-0000-0000-0000-000000000000', gen_random_uuid(),"
        " decode(repeat('00', 24), 'hex'), '', '', sha256(''), sha256(''), 0, now(),"
        " NULL FROM generate_series(1, 500) n");
    struct store_consent last = { 0 };
    int n = 0;
    for (int got = 100; got == 100; n += got) {
        struct store_end end = { .look = look_consent, .arg = &last };
        struct store_consent_page page = { .after_version = last.version, .limit = 100 };
        memcpy(page.after, last.id, sizeof(page.after));
        struct op *op = store_consent_load(db, &page, store_on_end, &end);
        assert_int_equal(store_ended(op, &end), 0);
        got = end.count;
    }
    char want[16];
    (void)snprintf(want, sizeof(want), "%d", n);
    assert_string_equal(store_sql("SELECT count(*) FROM consent WHERE superseded IS NULL"),
                        want);
}

static void test_a_follower_that_doesnt_lead_writes_nothing(void **state)
{
    (void)state;
    struct store_event grant = event(STORE_EVENT_GRANTED, 9, 1);
    assert_int_equal(store_lead(db), fence + 1);
    assert_int_equal(advance(1, &grant, 0), -EPERM);
    struct store_consent c;
    file(9, 1, 0);
    (void)read(9, &c);
    assert_false(c.on_chain.known);
}

static int set_up(void **state)
{
    int r = open_db(state);
    if (db) {
        fence = store_lead(db);
    }
    return r;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_filing_supersedes_and_raises_the_epoch),
        cmocka_unit_test(test_an_identifier_means_one_consent),
        cmocka_unit_test(test_grants_count_once_safe_and_revocations_at_once),
        cmocka_unit_test(test_a_rollback_takes_grants_and_leaves_revocations),
        cmocka_unit_test(test_a_revocation_acts_before_the_chain_has_it),
        cmocka_unit_test(test_a_version_stays_in_force_until_the_next_is_safe),
        cmocka_unit_test(test_of_two_in_flight_the_first_is_in_force_once_safe),
        cmocka_unit_test(test_a_revocation_ends_both_versions),
        cmocka_unit_test(test_a_rotation_spends_a_version_and_changes_nothing),
        cmocka_unit_test(test_blocks_show_the_fork_point),
        cmocka_unit_test(test_a_change_by_hand_is_noticed),
        cmocka_unit_test(test_all_are_loaded_in_chunks),
        cmocka_unit_test(test_a_follower_that_doesnt_lead_writes_nothing),
    };
    return cmocka_run_group_tests(tests, set_up, close_db);
}
