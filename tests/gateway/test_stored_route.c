/* Names of ways as the outbox keeps them. */
#include "tests/check.h"

#include "gateway/stored_route.h"

static struct config_sender senders[2];
static struct config_listener listeners[] = {
    { .place.name = "fhir", .protocol = PROTOCOL_FHIR },
    { .place.name = "lab", .senders = { senders, ARRAY_LEN(senders) } },
};
static struct config_route routes[] = {
    { .from = "fhir", .index = 0 },
    { .from = "lab", .index = 1 },
};
static const struct config config = {
    .listeners = { listeners, ARRAY_LEN(listeners) },
    .routes = { routes, ARRAY_LEN(routes) },
};

static void test_what_is_written_is_found(void **state)
{
    (void)state;
    char memory[64];
    struct buf name = buf_fixed(memory, sizeof(memory));
    const struct stored_route way = { &routes[1], &senders[1] };
    struct stored_route found;
    stored_route_put(&name, &listeners[1], &way);
    assert_str(buf_str(&name), "lab:1:1");
    assert_true(stored_route_find(&config, buf_str(&name), &found));
    assert_ptr_equal(found.route, way.route);
    assert_ptr_equal(found.sender, way.sender);
}

/* What a FHIR client wrote has no sender. */
static void test_without_sender(void **state)
{
    (void)state;
    char memory[64];
    struct buf name = buf_fixed(memory, sizeof(memory));
    const struct stored_route way = { &routes[0], NULL };
    struct stored_route found;
    stored_route_put(&name, &listeners[0], &way);
    assert_str(buf_str(&name), "fhir:0");
    assert_true(stored_route_find(&config, buf_str(&name), &found));
    assert_ptr_equal(found.route, way.route);
    assert_null(found.sender);
}

static void test_what_the_configuration_has_no_more_is_not_found(void **state)
{
    static const char *const names[] = {
        "",         "lab",      "lab:1",   "lab:1:2",  "lab:2:0",          "ward:1:0",
        "fhir:0:0", "fhir:1:0", "lab:x:0", "lab:1:0x", "lab:1:9999999999", "lab:1:-1",
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct stored_route found;
        if (stored_route_find(&config, str_z(names[i]), &found)) {
            fail_msg("%s is found", names[i]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_written_is_found),
        cmocka_unit_test(test_without_sender),
        cmocka_unit_test(test_what_the_configuration_has_no_more_is_not_found),
    };
    return cmocka_run_group_tests_name("stored_route", tests, NULL, NULL);
}
