#include "tests/check.h"

#include "gateway/exchange.h"

/* What the stages of these tests did, in order, a letter each. */
static char trace[64];

static void note(char c)
{
    size_t n = strlen(trace);
    trace[n] = c;
    trace[n + 1] = '\0';
}

/* An operation that ends when the test says so. */
struct later {
    struct op op;
    struct exchange *ex;
    bool cancelled;
};

static struct later later;

static void cancel(struct op *op)
{
    (void)op;
    later.cancelled = true;
}

static struct op *begin(struct exchange *ex)
{
    later = (struct later){ .op.cancel = cancel, .ex = ex };
    return &later.op;
}

static enum step pass(struct exchange *ex)
{
    (void)ex;
    note('p');
    return STEP_NEXT;
}

static enum step wait_once(struct exchange *ex)
{
    note('w');
    return exchange_wait(ex, begin(ex));
}

static enum step refuse(struct exchange *ex)
{
    note('r');
    return exchange_stop(ex, OUTCOME_DENY, "no-consent");
}

static enum step refuse_again(struct exchange *ex)
{
    note('R');
    return exchange_stop(ex, OUTCOME_UNAVAILABLE, "record");
}

static enum step close_books(struct exchange *ex)
{
    note('c');
    if (ex->outcome == OUTCOME_OPEN) {
        ex->outcome = OUTCOME_PERMIT;
    }
    return STEP_NEXT;
}

static enum step wait_null(struct exchange *ex)
{
    note('n');
    return exchange_wait(ex, NULL);
}

static enum outcome ended_with;
static const char *ended_basis;

static void ended(struct exchange *ex)
{
    note('e');
    ended_with = ex->outcome;
    ended_basis = ex->basis;
}

static struct event_base *loop;

static struct exchange *start(const struct stage *pipeline)
{
    trace[0] = '\0';
    struct exchange *ex = exchange_new(loop, pipeline, 1, ended);
    assert_non_null(ex);
    exchange_start(ex);
    return ex;
}

static void test_stages_run_in_order(void **state)
{
    (void)state;
    static const struct stage pipeline[] = {
        { "a", pass, 0, WHILE_OPEN },
        { "b", pass, 0, WHILE_OPEN },
        { "c", close_books, 0, ALWAYS },
        { 0 },
    };
    (void)start(pipeline);
    assert_string_equal(trace, "ppce");
    assert_int_equal(ended_with, OUTCOME_PERMIT);
    assert_int_equal(exchange_count(), 0);
}

static void test_a_stopped_one_still_closes_its_books(void **state)
{
    (void)state;
    static const struct stage pipeline[] = {
        { "a", refuse, 0, WHILE_OPEN },  { "b", pass, 0, WHILE_OPEN },
        { "c", close_books, 0, ALWAYS }, { "d", pass, 0, WHILE_OPEN },
        { "e", close_books, 0, ALWAYS }, { 0 },
    };
    (void)start(pipeline);
    assert_string_equal(trace, "rcce");
    assert_int_equal(ended_with, OUTCOME_DENY);
    assert_string_equal(ended_basis, "no-consent");
}

static void test_the_first_cause_stands(void **state)
{
    (void)state;
    static const struct stage pipeline[] = {
        { "a", refuse, 0, WHILE_OPEN },
        { "b", refuse_again, 0, ALWAYS },
        { "c", close_books, 0, ALWAYS },
        { 0 },
    };
    (void)start(pipeline);
    assert_string_equal(trace, "rRce");
    assert_int_equal(ended_with, OUTCOME_DENY);
}

static void test_a_permit_that_can_not_be_recorded_is_none(void **state)
{
    (void)state;
    static const struct stage pipeline[] = {
        { "a", close_books, 0, WHILE_OPEN },
        { "b", refuse_again, 0, ALWAYS },
        { "c", close_books, 0, ALWAYS },
        { 0 },
    };
    (void)start(pipeline);
    assert_int_equal(ended_with, OUTCOME_UNAVAILABLE);
}

static void test_waiting_goes_on_where_it_was(void **state)
{
    (void)state;
    static const struct stage pipeline[] = {
        { "a", wait_once, 5, WHILE_OPEN },
        { "b", pass, 0, WHILE_OPEN },
        { "c", close_books, 0, ALWAYS },
        { 0 },
    };
    (void)start(pipeline);
    assert_string_equal(trace, "w");
    assert_int_equal(exchange_count(), 1);
    struct exchange *ex = exchange_woken(later.ex);
    exchange_move(ex, STEP_NEXT);
    assert_string_equal(trace, "wpce");
}

static void test_what_can_not_be_begun_is_unavailable(void **state)
{
    (void)state;
    static const struct stage pipeline[] = {
        { "a", wait_null, 5, WHILE_OPEN },
        { "b", pass, 0, WHILE_OPEN },
        { "c", close_books, 0, ALWAYS },
        { 0 },
    };
    (void)start(pipeline);
    assert_string_equal(trace, "nce");
    assert_int_equal(ended_with, OUTCOME_UNAVAILABLE);
    assert_string_equal(ended_basis, "a");
}

static void test_a_stage_that_takes_too_long_is_cut(void **state)
{
    (void)state;
    static const struct stage pipeline[] = {
        { "slow", wait_once, 1, WHILE_OPEN },
        { "c", close_books, 0, ALWAYS },
        { 0 },
    };
    (void)start(pipeline);
    while (exchange_count()) {
        (void)event_base_loop(loop, EVLOOP_ONCE);
    }
    assert_true(later.cancelled);
    assert_string_equal(trace, "wce");
    assert_int_equal(ended_with, OUTCOME_TIMEOUT);
    assert_string_equal(ended_basis, "slow");
}

static void test_an_aborted_one_is_recorded_too(void **state)
{
    (void)state;
    static const struct stage pipeline[] = {
        { "a", wait_once, 5, WHILE_OPEN },
        { "c", close_books, 0, ALWAYS },
        { 0 },
    };
    struct exchange *ex = start(pipeline);
    exchange_abort(ex, OUTCOME_FAILED, "client-gone");
    assert_true(later.cancelled);
    assert_string_equal(trace, "wce");
    assert_int_equal(ended_with, OUTCOME_FAILED);
}

static void test_closing_the_books_is_not_cut_short(void **state)
{
    (void)state;
    static const struct stage pipeline[] = {
        { "record", wait_once, 5, ALWAYS },
        { "c", close_books, 0, ALWAYS },
        { 0 },
    };
    struct exchange *ex = start(pipeline);
    exchange_abort(ex, OUTCOME_FAILED, "client-gone");
    assert_false(later.cancelled);
    assert_string_equal(trace, "w");
    exchange_move(exchange_woken(later.ex), STEP_NEXT);
    assert_int_equal(ended_with, OUTCOME_PERMIT);
}

static int tries;

static enum step again_twice(struct exchange *ex)
{
    note('a');
    return ++tries < 3 ? exchange_again(ex, "decide") : STEP_NEXT;
}

static void test_going_back_decides_anew(void **state)
{
    (void)state;
    static const struct stage pipeline[] = {
        { "first", pass, 0, WHILE_OPEN },
        { "decide", close_books, 0, WHILE_OPEN },
        { "record", again_twice, 0, ALWAYS },
        { 0 },
    };
    (void)start(pipeline);
    assert_string_equal(trace, "pcacacae");
    assert_int_equal(ended_with, OUTCOME_PERMIT);
}

int main(void)
{
    loop = event_base_new();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stages_run_in_order),
        cmocka_unit_test(test_a_stopped_one_still_closes_its_books),
        cmocka_unit_test(test_the_first_cause_stands),
        cmocka_unit_test(test_a_permit_that_can_not_be_recorded_is_none),
        cmocka_unit_test(test_waiting_goes_on_where_it_was),
        cmocka_unit_test(test_what_can_not_be_begun_is_unavailable),
        cmocka_unit_test(test_a_stage_that_takes_too_long_is_cut),
        cmocka_unit_test(test_an_aborted_one_is_recorded_too),
        cmocka_unit_test(test_closing_the_books_is_not_cut_short),
        cmocka_unit_test(test_going_back_decides_anew),
    };
    int r = cmocka_run_group_tests_name("gateway/exchange", tests, NULL, NULL);
    event_base_free(loop);
    return r;
}
