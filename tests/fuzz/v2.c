/*
 * An HL7 v2 message from outside: parsed, answered, grouped, validated; every field found by
 * its address; and written from its fields, where each must stand again.
 */
#include "fhir/v2/ack.h"
#include "fhir/v2/group.h"
#include "fhir/v2/read.h"
#include "fhir/v2/validate.h"
#include "fhir/v2/write.h"
#include "tests/fuzz/fuzz.h"

enum {
    MEMORY = 64 << 20,
    GROUPS_MAX = 256, /* whose occurrences are counted again */
    FIELDS_MAX = 256, /* looked for by address: each looks through the message */
};

static void answer(struct arena *arena, const struct v2_message *about)
{
    struct buf out = arena_buf(arena, MEMORY);
    const struct v2_ack ack = { .code = V2_ACK_ERROR,
                                .control_id = STR("1"),
                                .time = STR("20260102"),
                                .condition = V2_ACK_REQUIRED,
                                .place = STR("PID-3[2].4"),
                                .text = STR("a & b") };
    (void)!v2_ack_write(arena, about, &ack, &out);
}

/* The groups before the @i-th that are made of the same child of the same group. */
static size_t earlier(const struct v2_groups *groups, size_t i)
{
    size_t n = 0;
    for (size_t k = 0; k < i; k++) {
        n += groups->list[k].parent == groups->list[i].parent &&
             groups->list[k].name == groups->list[i].name;
    }
    return n;
}

/* Each segment is in a group, and each group in one before it, as its next one. */
static void group(struct arena *arena, const struct v2_message *message, struct issues *issues)
{
    struct v2_groups groups;
    if (v2_group_segments(arena, message, issues, &groups) != 0) {
        return;
    }
    for (size_t i = 0; i < message->count; i++) {
        fuzz_expect(groups.of[i] < groups.count);
    }
    for (size_t i = 1; i < groups.count; i++) {
        fuzz_expect(groups.list[i].parent < i && groups.list[i].segment < message->count);
        fuzz_expect(i > GROUPS_MAX || groups.list[i].occurrence == earlier(&groups, i) + 1);
    }
    v2_validate(message, groups.structure.version, issues);
}

/* The text form of @address means it, and finds the first of @name's, field @number, in part.
 */
static void find(struct arena *arena, const struct v2_message *message,
                 const struct v2_segment *segment, uint32_t number)
{
    struct v2_address address = { .field = number, .component = 2, .subcomponent = 1 };
    struct v2_address again;
    struct buf text = arena_buf(arena, MEMORY);
    struct str value;
    memcpy(address.segment, segment->name, sizeof(address.segment));
    v2_address_write(&text, &address);
    if (buf_failed(&text)) {
        return;
    }
    fuzz_expect(v2_address_parse(buf_str(&text), &again) == 0);
    fuzz_expect(memcmp(&address, &again, sizeof(again)) == 0);
    if (v2_get(message, &again, &value) == V2_PRESENT) {
        fuzz_expect(value.n && value.p > message->text.p);
        fuzz_expect(value.p + value.n <= message->text.p + message->text.n);
    }
}

static void find_fields(struct arena *arena, const struct v2_message *message)
{
    size_t left = FIELDS_MAX;
    for (size_t i = 0; i < message->count && left; i++) {
        const struct v2_segment *segment = &message->segments[i];
        for (uint32_t k = 1; *segment->name && k <= v2_field_last(segment) && left; k++) {
            find(arena, message, segment, k);
            left--;
        }
    }
}

/* The first field that isn't made of the delimiters themselves. */
static uint32_t first_field(const struct v2_segment *segment)
{
    bool header = memcmp(segment->name, "MSH", 3) == 0 ||
                  memcmp(segment->name, "FHS", 3) == 0 || memcmp(segment->name, "BHS", 3) == 0;
    return header ? 3 : 1;
}

static int write_fields(struct arena *arena, const struct v2_message *message, struct buf *out)
{
    struct v2_writer w = v2_writer(arena, &message->delims);
    for (size_t i = 0; i < message->count; i++) {
        const struct v2_segment *segment = &message->segments[i];
        if (!*segment->name) {
            continue;
        }
        v2_write_segment(&w, segment->name);
        for (uint32_t k = first_field(segment); k <= v2_field_last(segment); k++) {
            v2_write_raw(&w, (struct v2_address){ .field = k }, v2_field(message, segment, k));
        }
    }
    return v2_write_end(&w, out);
}

/* What is written from the fields of @message has the same segments with the same fields. */
static void rewrite(struct arena *arena, const struct v2_message *message,
                    struct issues *issues)
{
    struct buf text = arena_buf(arena, MEMORY);
    struct v2_message again;
    if (write_fields(arena, message, &text) != 0 ||
        v2_parse(arena, buf_str(&text), issues, &again) < 0) {
        return;
    }
    size_t at = 0;
    for (size_t i = 0; i < message->count; i++) {
        const struct v2_segment *segment = &message->segments[i];
        if (!*segment->name) {
            continue;
        }
        fuzz_expect(at < again.count);
        const struct v2_segment *written = &again.segments[at++];
        fuzz_expect(memcmp(segment->name, written->name, sizeof(written->name)) == 0);
        for (uint32_t k = first_field(segment); k <= v2_field_last(segment); k++) {
            fuzz_expect(str_eq(v2_field(message, segment, k), v2_field(&again, written, k)));
        }
    }
    fuzz_expect(at == again.count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new(4096);
    if (!arena) {
        return 0;
    }
    arena_limit(arena, MEMORY);
    struct issues issues;
    issues_init(&issues, arena);
    struct v2_message message;
    struct str text = str_of(data, size);
    if (v2_parse_header(arena, text, &message) == 0) {
        answer(arena, &message);
    }
    if (v2_read(arena, text, V2_CHARSET_8859_1, &issues, &message) == 0) {
        answer(arena, &message);
        group(arena, &message, &issues);
        find_fields(arena, &message);
        rewrite(arena, &message, &issues);
    }
    arena_free(arena);
    return 0;
}
