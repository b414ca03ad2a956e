/*
 * v2 to FHIR and back: what a message's fields become in FHIR comes back as it was.
 *
 * A field counts if it became something, without those of its parts that are kept in the
 * message alone; MSH-1 to MSH-2 and what maps leave alone on purpose don't count. What is lost
 * stands by field, with the reason, in round_trip.txt. A second round changes nothing more.
 * A message without way back names no patient, lacks what its type is about, or stands there.
 */
#include "tests/check.h"

#include "fhir/format/json.h"
#include "fhir/translate/to_fhir.h"
#include "fhir/translate/to_v2.h"
#include "fhir/v2/address.h"
#include "fhir/v2/charset.h"
#include "fhir/v2/escape.h"
#include "tests/shipped.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    FEWEST_PERCENT = 97, /* of all fields that count */
    FIELDS_MAX = 128,
    NAMES_MAX = 1024,
    TEXT_MAX = 1 << 20,
};

/* How often a field counted, and came back. */
struct tally {
    char name[16];
    size_t all;
    size_t same;
};

struct trip {
    const struct rules *rules;
    struct str list; /* round_trip.txt */
    struct tally tallies[NAMES_MAX];
    size_t tally_count;
    size_t all;
    size_t same;
    size_t messages;
    size_t refused;
    size_t unlike; /* Bundles that aren't the same after the way */
    size_t wrong;  /* losses and refusals that the list doesn't have, or has in vain */
    bool say;      /* each loss, to find out */
};

/* Which segment each type of message is about. */
static const struct type {
    const char *name;
    const char *about;
} TYPES[] = {
    { "ADT_A01", "PID" }, { "ADT_A03", "PID" }, { "ADT_A04", "PID" }, { "ADT_A08", "PID" },
    { "ADT_A40", "MRG" }, { "ORU_R01", "OBR" }, { "ORM_O01", "OBR" }, { "OML_O21", "OBR" },
    { "MDM_T02", "TXA" }, { "SIU_S12", "SCH" }, { "VXU_V04", "RXA" },
};

static int to_fhir(const struct trip *t, struct arena *arena, const struct v2_message *message,
                   struct translate_result *out)
{
    static const uint8_t digest[32];
    const struct translate_site site = { .rules = t->rules,
                                         .sender = STR("urn:oid:1.2.3|lab"),
                                         .gateway = STR("gateway"),
                                         .recorded = STR("2026-01-02T03:04:05Z"),
                                         .digest = digest,
                                         .explain = true };
    struct issues issues;
    issues_init(&issues, arena);
    return translate_to_fhir(arena, message, &site, out, &issues);
}

/* The Bundle as a message with the delimiters, version and id of @like; a return as of
 * translate_to_v2(). */
static int to_v2(const struct trip *t, struct arena *arena, struct str bundle,
                 const struct v2_message *like, struct v2_message *out)
{
    struct v2_header header;
    struct issues issues;
    const struct node *root;
    struct translate_message made;
    char event[32];
    issues_init(&issues, arena);
    v2_header(like, &header);
    assert_int_equal(json_parse(arena, bundle, &issues, &root), 0);
    (void)snprintf(event, sizeof(event), "%.*s^%.*s", (int)header.type.n, header.type.p,
                   (int)header.event.n, header.event.p);
    struct translate_receiver to = { .rules = t->rules,
                                     .event = str_z(event),
                                     .beyond = true, /* as who sent it had it */
                                     .delims = like->delims,
                                     .control = header.control_id,
                                     .recorded = STR("2026-01-02T03:04:05Z") };
    (void)v2_version_find(header.version, &to.version);
    int r = translate_to_v2(arena, root, &to, &made, &issues);
    return r ? r : v2_parse(arena, made.text, &issues, out);
}

/* --- comparing -----------------------------------------------------------------------------
 */

static void trim(struct buf *b, size_t from, char delim)
{
    while (b->n > from && b->p[b->n - 1] == delim) {
        b->n--;
    }
}

static bool is_kept(const struct translate_kept *kept, size_t segment, uint32_t field,
                    uint32_t repetition, uint32_t component)
{
    for (; kept; kept = kept->next) {
        bool here = kept->segment == segment && (kept->field == 0 || kept->field == field);
        if (here && (kept->repetition == 0 ||
                     (kept->component == 0 && repetition >= kept->repetition) ||
                     (kept->repetition == repetition && kept->component == component))) {
            return true;
        }
    }
    return false;
}

/* Append @raw, decoded, in components; those that are @kept are left out. */
static void normalise(struct arena *arena, const struct v2_delims *d, struct str raw,
                      const struct translate_kept *kept, size_t segment, uint32_t field,
                      struct buf *out)
{
    size_t start = out->n;
    for (uint32_t r = 1; r <= v2_parts(raw, d->repetition); r++) {
        struct str repetition = v2_part(raw, d->repetition, r);
        size_t from = out->n;
        for (uint32_t c = 1; c <= v2_parts(repetition, d->component); c++) {
            struct str part = v2_part(repetition, d->component, c);
            if (!is_kept(kept, segment, field, r, c)) {
                struct str text = part;
                size_t at = out->n;
                (void)!v2_unescape(arena, d, part, &text);
                buf_str_put(out, text);
                trim(out, at, d->subcomponent);
            }
            buf_c(out, d->component);
        }
        trim(out, from, d->component);
        buf_c(out, d->repetition);
    }
    trim(out, start, d->repetition);
}

/* Whether @field of segment @i came back in @back's @segment. */
static bool same_field(struct arena *arena, const struct v2_message *m, size_t i,
                       uint32_t field, const struct translate_kept *kept,
                       const struct v2_message *back, const struct v2_segment *segment,
                       struct str *texts)
{
    struct buf was = arena_buf(arena, TEXT_MAX);
    struct buf is = arena_buf(arena, TEXT_MAX);
    normalise(arena, &m->delims, v2_field(m, &m->segments[i], field), kept, i, field, &was);
    if (segment) {
        normalise(arena, &m->delims, v2_field(back, segment, field), kept, i, field, &is);
    }
    texts[0] = buf_str(&was);
    texts[1] = buf_str(&is);
    return str_eq(texts[0], texts[1]);
}

/* White space alone becomes nothing. */
static bool says_something(struct str field)
{
    while (field.n && (field.p[0] == ' ' || field.p[0] == '\t')) {
        field = str_slice(field, 1, field.n);
    }
    return field.n > 0;
}

static bool counts(const struct trip *t, const struct v2_message *m, size_t i, uint32_t field,
                   const struct translate_kept *kept)
{
    const struct v2_segment *segment = &m->segments[i];
    bool known = segment->name[0] && field < FIELDS_MAX;
    bool header = known && memcmp(segment->name, "MSH", 3) == 0 && field < 3;
    int16_t id = known ? rules_segment(t->rules, segment->name) : -1;
    const struct rule_segment *rules = id >= 0 ? &t->rules->segments[id] : NULL;
    return rules && !header && !(rules->ignored[field / 64] >> field % 64 & 1) &&
           says_something(v2_field(m, segment, field)) && !is_kept(kept, i, field, 0, 0);
}

static struct tally *tally_of(struct trip *t, const char *segment, uint32_t field)
{
    char name[16];
    (void)snprintf(name, sizeof(name), "%.3s-%u", segment, (unsigned)field);
    for (size_t i = 0; i < t->tally_count; i++) {
        if (strcmp(t->tallies[i].name, name) == 0) {
            return &t->tallies[i];
        }
    }
    assert_true(t->tally_count < NAMES_MAX);
    memcpy(t->tallies[t->tally_count].name, name, sizeof(name));
    return &t->tallies[t->tally_count++];
}

/* The segment of @back, not taken yet, that has most of segment @i, or all of it if @exact.
 * One with nothing that counts, a blank note, has none: it would take another's. */
static size_t best_match(const struct trip *t, struct arena *arena, const struct v2_message *m,
                         size_t i, const struct translate_kept *kept,
                         const struct v2_message *back, const bool *taken, bool exact)
{
    size_t best = back->count;
    size_t most = 0;
    uint32_t last = v2_field_last(&m->segments[i]);
    for (size_t k = 0; k < back->count; k++) {
        size_t same = 0;
        size_t all = 0;
        if (taken[k] || memcmp(back->segments[k].name, m->segments[i].name, 3) != 0) {
            continue;
        }
        for (uint32_t f = 1; f <= last; f++) {
            struct str texts[2];
            bool is = counts(t, m, i, f, kept);
            all += is;
            same += is && same_field(arena, m, i, f, kept, back, &back->segments[k], texts);
        }
        if (same > most && (!exact || same == all)) {
            most = same;
            best = k;
        }
        if (same == all && best == k) {
            break;
        }
    }
    return best;
}

static void compare(struct trip *t, struct arena *arena, const char *path,
                    const struct v2_message *m, const struct translate_kept *kept,
                    const struct v2_message *back)
{
    bool *taken = arena_calloc(arena, back->count + 1, sizeof(*taken));
    assert_non_null(taken);
    size_t *match = arena_calloc(arena, m->count, sizeof(*match));
    assert_non_null(match);
    for (int exact = 1; exact >= 0; exact--) {
        for (size_t i = 0; i < m->count; i++) {
            if (exact || match[i] == back->count) {
                match[i] = best_match(t, arena, m, i, kept, back, taken, exact);
                taken[match[i]] = true;
            }
        }
    }
    for (size_t i = 0; i < m->count; i++) {
        size_t k = match[i];
        uint32_t last = v2_field_last(&m->segments[i]);
        for (uint32_t f = 1; f <= last; f++) {
            if (!counts(t, m, i, f, kept)) {
                continue;
            }
            struct str texts[2];
            bool same = same_field(arena, m, i, f, kept, back,
                                   k < back->count ? &back->segments[k] : NULL, texts);
            if (!texts[0].n) {
                continue; /* all of its parts are kept in the message alone */
            }
            struct tally *tally = tally_of(t, m->segments[i].name, f);
            tally->all++;
            tally->same += same;
            t->all++;
            t->same += same;
            if (!same && t->say) {
                print_message("LOST %s %s '%.*s' -> '%.*s' %s\n", tally->name, path,
                              (int)texts[0].n, texts[0].p, (int)texts[1].n, texts[1].p,
                              k < back->count ? "" : "(no segment)");
            }
        }
    }
}

/* --- all messages --------------------------------------------------------------------------
 */

/* Whether @name stands in @list as a word before a colon or blank, and isn't a comment. */
static bool is_listed(struct str list, const char *name)
{
    while (list.n) {
        struct str line = str_cut(&list, '\n');
        struct str words = str_cut(&line, ':');
        while (words.n && words.p[0] != '#') {
            if (str_eq(str_cut(&words, ' '), str_z(name))) {
                return true;
            }
        }
    }
    return false;
}

/* Whether @m is but a piece of a message: of no patient, or without a segment @about. */
static bool is_piece(const struct v2_message *m, const char *about)
{
    bool patient = false;
    bool whole = false;
    for (size_t i = 0; i < m->count; i++) {
        const struct v2_segment *segment = &m->segments[i];
        bool pid = memcmp(segment->name, "PID", 3) == 0;
        for (uint32_t f = 2; pid && f <= v2_field_last(segment); f++) {
            patient = patient || says_something(v2_field(m, segment, f));
        }
        whole = whole || memcmp(segment->name, about, 3) == 0;
    }
    return !patient || !whole;
}

/* Of @m, in file @path, no message came back. */
static void refuse(struct trip *t, const struct v2_message *m, const char *path,
                   const char *about)
{
    const char *slash = strrchr(path, '/');
    t->refused++;
    if (t->say) {
        print_message("REFUSED %s\n", path);
    }
    if (!is_piece(m, about) && !is_listed(t->list, slash ? slash + 1 : path)) {
        print_error("%s: no message comes back\n", path);
        t->wrong++;
    }
}

static void try_file(struct trip *t, const char *path, const char *about)
{
    size_t n = 0;
    char *text = check_read(path, &n);
    assert_non_null(text);
    CLEANUP(arena_freep) struct arena *arena = arena_new(1 << 20);
    struct issues issues;
    struct v2_message raw;
    struct v2_message m;
    struct v2_message back;
    struct v2_message again;
    struct translate_result first;
    struct translate_result second;
    issues_init(&issues, arena);
    bool read = v2_parse(arena, str_of(text, n), &issues, &raw) == 0 &&
                v2_message_utf8(arena, &raw, V2_CHARSET_8859_1, &issues, &m) == 0 &&
                to_fhir(t, arena, &m, &first) == 0;
    if (read && to_v2(t, arena, first.bundle, &m, &back) == 0) {
        t->messages++;
        compare(t, arena, path, &m, first.kept, &back);
        assert_int_equal(to_fhir(t, arena, &back, &second), 0);
        bool like = str_eq(first.bundle, second.bundle);
        t->unlike += !like;
        if (!like && t->say) {
            print_message("UNLIKE %s\n", path);
        }
        int r = to_v2(t, arena, second.bundle, &m, &again);
        if (r != 0 || !str_eq(again.text, back.text)) {
            print_error("%s: a second round changes the message\n", path);
            if (!t->say) {
                fail();
            }
        }
    } else if (read) {
        refuse(t, &m, path, about);
    }
    free(text);
}

static void try_folder(struct trip *t, const char *data, const struct type *type)
{
    char folder[4096];
    (void)snprintf(folder, sizeof(folder), "%s/v2_messages/%s", data, type->name);
    struct dirent **files = NULL;
    int n = scandir(folder, &files, NULL, alphasort);
    for (int i = 0; i < n; i++) {
        char path[4096 + 300];
        (void)snprintf(path, sizeof(path), "%s/%s", folder, files[i]->d_name);
        if (files[i]->d_name[0] != '.') {
            try_file(t, path, type->about);
        }
        free(files[i]);
    }
    free((void *)files);
}

static const char *losses_path;

/* Each field of which something is lost is listed, and no other one. */
static void check_list(struct trip *t)
{
    for (size_t i = 0; i < t->tally_count; i++) {
        const struct tally *tally = &t->tallies[i];
        bool lost = tally->same < tally->all;
        if (lost != is_listed(t->list, tally->name)) {
            print_error("%s: %zu of %zu came back, %s\n", tally->name, tally->same, tally->all,
                        lost ? "and round_trip.txt doesn't say why not" : "but it is listed");
            t->wrong++;
        }
    }
    if (!t->say) {
        assert_int_equal(t->wrong, 0);
    }
}

static void test_fields_come_back(void **state)
{
    (void)state;
    check_data_needed("v2_messages");
    const char *data = getenv("CHARTSEAL_DATA");
    static struct trip t;
    CLEANUP(arena_freep) struct arena *rules_arena = arena_new(1 << 20);
    t.rules = shipped_rules(rules_arena);
    t.say = getenv("ROUND_TRIP") != NULL;
    size_t n = 0;
    char *list = check_read(losses_path, &n);
    assert_non_null(list);
    t.list = str_of(list, n);
    for (size_t i = 0; i < ARRAY_LEN(TYPES); i++) {
        try_folder(&t, data, &TYPES[i]);
    }
    for (size_t i = 0; i < t.tally_count && t.say; i++) {
        print_message("FIELD %s %zu %zu\n", t.tallies[i].name, t.tallies[i].all,
                      t.tallies[i].same);
    }
    print_message(
        "%zu messages, %zu refused, %zu of %zu fields came back, %zu Bundles changed\n",
        t.messages, t.refused, t.same, t.all, t.unlike);
    check_list(&t);
    free(list);
    assert_true(t.messages > 0 && t.same * 100 >= t.all * FEWEST_PERCENT);
}

int main(int argc, char **argv)
{
    losses_path = argc > 1 ? argv[1] : "tests/fhir/translate/round_trip.txt";
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fields_come_back),
    };
    return cmocka_run_group_tests_name("fhir/translate/round_trip", tests, NULL, NULL);
}
