/*
 * Compiling maps: all lines of all files are read into drafts, then names are resolved.
 *
 * Mistakes are kept in the order of the files, whenever they were noticed, since a person
 * mends a file from its top.
 */
#include "fhir/translate/map.h"

#include "crypto/digest.h"
#include "fhir/translate/map_draft.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

enum {
    VERSION_BYTES = 8,
    MISTAKE_MAX = 300, /* bytes of one */
};

void *map_alloc(struct map_compiler *c, size_t count, size_t size)
{
    void *p = c->error ? NULL : arena_calloc(c->arena, count ? count : 1, size);
    if (!p) {
        c->error = -ENOMEM;
    }
    return p;
}

struct str map_intern(struct map_compiler *c, struct str word)
{
    const struct map_name *entry = map_names_put(c->arena, &c->words, word);
    if (!entry) {
        c->error = -ENOMEM;
        return (struct str){ 0 };
    }
    return entry->name;
}

const struct rule_name *map_element(struct map_compiler *c, struct str word)
{
    struct map_name *entry = map_names_put(c->arena, &c->words, word);
    if (entry && entry->value) {
        return entry->value;
    }
    struct rule_name *name = entry ? map_alloc(c, 1, sizeof(*name)) : NULL;
    struct buf json = arena_buf(c->arena, word.n + 4);
    buf_fmt(&json, "\"%s\":", entry ? entry->name.p : "");
    buf_c(&json, '\0');
    if (!name || buf_failed(&json)) {
        c->error = -ENOMEM;
        return NULL;
    }
    *name = (struct rule_name){ .z = entry->name.p, .n = entry->name.n, .json = json.p };
    entry->value = name;
    return name;
}

static bool before(struct map_where a, struct map_where b)
{
    return a.file != b.file ? a.file < b.file : a.line < b.line;
}

void map_wrong_at(struct map_compiler *c, struct map_where where, const char *format, ...)
{
    if (++c->mistake_count > ISSUES_MAX) {
        return;
    }
    char text[MISTAKE_MAX];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    struct map_mistake *mistake = map_alloc(c, 1, sizeof(*mistake));
    if (!mistake) {
        return;
    }
    mistake->where = where;
    mistake->text = arena_str(c->arena, str_z(text));
    struct map_mistake **at = &c->mistakes;
    while (*at && !before(where, (*at)->where)) {
        at = &(*at)->next;
    }
    mistake->next = *at;
    *at = mistake;
}

struct draft_segment *map_segment(struct map_compiler *c, struct str name)
{
    struct map_name *entry = map_names_put(c->arena, &c->segment_names, name);
    if (entry && entry->value) {
        return entry->value;
    }
    struct draft_segment *segment = entry ? map_alloc(c, 1, sizeof(*segment)) : NULL;
    if (!segment) {
        c->error = -ENOMEM;
        return NULL;
    }
    if (c->segment_count == MAP_NAMES_MAX) {
        map_wrong(c, "too many segments");
        return NULL;
    }
    segment->name = entry->name;
    segment->id = (uint16_t)c->segment_count++;
    entry->value = segment;
    *c->segments_end = segment;
    c->segments_end = &segment->next;
    return segment;
}

size_t map_find_word(struct map_words words, const char *z)
{
    size_t i = 0;
    while (i < words.n && !map_is_word(&words.p[i], z)) {
        i++;
    }
    return i;
}

/* --- lines ----------------------------------------------------------------------------- */

/* A section ends: what is open in it isn't closed any more. */
static void end_section(struct map_compiler *c)
{
    for (; c->section == SECTION_MAP && c->depth > 1; c->depth--) {
        map_wrong_at(c, c->blocks[c->depth - 1]->where, "'{' without '}'");
    }
    c->section = SECTION_NONE;
}

static void read_line(struct map_compiler *c)
{
    if (c->line.indent == 0) {
        end_section(c);
        map_section(c);
        return;
    }
    switch (c->section) {
    case SECTION_NONE: map_wrong(c, "a row outside of any section"); return;
    case SECTION_SKIPPED: return;
    case SECTION_MAP: map_row(c); return;
    case SECTION_TABLE: map_table_row(c); return;
    case SECTION_STRUCTURE: map_structure_row(c); return;
    case SECTION_MESSAGE: map_wrong(c, "a message has no rows"); return;
    case SECTION_SENDER: map_sender_row(c); return;
    }
}

static void read_file(struct map_compiler *c, size_t index)
{
    const struct map_file *file = &c->files[index];
    struct map_lexer lexer = { .arena = c->arena, .rest = file->text };
    c->where = (struct map_where){ .file = (uint16_t)index };
    int r = file->text.n > MAP_FILE_MAX ? MAP_LEX_WRONG : 0;
    const char *wrong = "the file is too large";
    if (r) {
        map_wrong(c, "%s", wrong);
    }
    while (!c->error && file->text.n <= MAP_FILE_MAX) {
        r = map_lex(&lexer, &c->line, &wrong);
        c->where.line = c->line.number;
        if (r == MAP_LEX_END || r < 0) {
            break;
        }
        if (r == MAP_LEX_WRONG) {
            map_wrong(c, "%s", wrong);
        } else if (++c->rows > MAP_ROWS_MAX) {
            map_wrong(c, "too many rows in all");
            break;
        } else {
            read_line(c);
        }
    }
    c->error = r < 0 ? r : c->error;
    end_section(c);
}

/* --- all in order ---------------------------------------------------------------------- */

/* A digest over the files, each with its length before it, so that it names their state. */
static const char *version(struct map_compiler *c, size_t count)
{
    struct digest digest;
    uint8_t bytes[DIGEST_SIZE];
    char text[2 * VERSION_BYTES];
    digest_start(&digest);
    for (size_t i = 0; i < count; i++) {
        char length[8];
        struct buf b = buf_fixed(length, sizeof(length));
        buf_be64(&b, c->files[i].text.n);
        digest_put(&digest, buf_str(&b));
        digest_put(&digest, c->files[i].text);
    }
    digest_end(&digest, bytes);
    struct buf b = buf_fixed(text, sizeof(text));
    buf_hex(&b, bytes, VERSION_BYTES);
    return map_intern(c, buf_str(&b)).p;
}

static const char *const *names(struct map_compiler *c, size_t count)
{
    const char **list = map_alloc(c, count, sizeof(const char *));
    for (size_t i = 0; list && i < count; i++) {
        list[i] = map_intern(c, str_z(c->files[i].name)).p;
    }
    return list;
}

static void tell(const struct map_compiler *c, struct issues *issues)
{
    for (const struct map_mistake *m = c->mistakes; m; m = m->next) {
        char place[MISTAKE_MAX];
        struct buf b = buf_fixed(place, sizeof(place));
        buf_fmt(&b, "%s:%u", c->files[m->where.file].name, (unsigned)m->where.line);
        issues_add(issues, ISSUE_ERROR, "invalid", buf_str(&b), "%.*s", MAP_SPAN(m->text));
    }
    if (c->mistake_count > ISSUES_MAX) {
        issues->count += c->mistake_count - ISSUES_MAX;
    }
}

int map_compile(struct arena *arena, const struct map_file *files, size_t count,
                struct issues *issues, const struct rules **out)
{
    struct map_compiler *c = arena_calloc(arena, 1, sizeof(*c));
    if (!c) {
        return -ENOMEM;
    }
    c->arena = arena;
    c->files = files;
    c->segments_end = &c->segments;
    c->maps_end = &c->maps;
    c->segment_maps_end = &c->segment_maps;
    c->resources_end = &c->resources;
    c->messages_end = &c->messages;
    for (size_t i = 0; i < count && i < MAP_FILES_MAX && !c->error; i++) {
        read_file(c, i);
    }
    if (count > MAP_FILES_MAX) {
        map_wrong(c, "too many files");
    }
    struct rules *rules = c->error ? NULL : map_link(c);
    if (rules) {
        rules->version = version(c, count);
        rules->files = names(c, count);
    }
    tell(c, issues);
    if (c->error || c->mistake_count) {
        return c->error ? c->error : MAP_E_WRONG;
    }
    *out = rules;
    return 0;
}
