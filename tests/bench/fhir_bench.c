/*
 * FHIR between JSON and XML, in memory.
 *
 *   fhir_bench FILE.json [SECONDS] [FILE.xml]
 *
 * The resource of FILE.json, turn by turn: XML to JSON, JSON to XML, JSON read and written;
 * and, as the yardstick of the last, yajl whose parser feeds yajl_gen. Prints the sizes and CPU
 * microseconds for a document, the least of its turns, as one line of JSON. The XML goes to
 * FILE.xml, for other programs to convert.
 */
#include "fhir/format/json.h"
#include "fhir/format/json_node.h"
#include "fhir/format/xml.h"
#include "tests/bench/cpu.h"

#include <string.h>
#include <yajl/yajl_gen.h>
#include <yajl/yajl_parse.h>

enum {
    TURN_US = 20000, /* a turn lasts at least this long */
    ARENA_FIRST = 1 << 20,
    OUT_MAX = 256 << 20,
};

static struct str json;
static struct str xml;
static struct arena *arena;
static struct buf out;

static void must(bool holds, const char *what)
{
    if (!holds) {
        (void)fprintf(stderr, "fhir_bench: %s\n", what);
        exit(1);
    }
}

static void begin(struct issues *issues)
{
    arena_reset(arena);
    issues_init(issues, arena);
    out.n = 0;
}

static void xml_to_json(void)
{
    struct issues issues;
    const struct node *root = NULL;
    begin(&issues);
    must(xml_parse(arena, &schema_r4, xml, &issues, &root) == 0, "XML can't be read");
    json_node(&out, root);
}

static void json_to_xml(void)
{
    struct issues issues;
    const struct node *root = NULL;
    begin(&issues);
    must(json_parse(arena, json, &issues, &root) == 0, "JSON can't be read");
    must(xml_write(arena, &schema_r4, root, &issues, &out) == 0, "XML can't be written");
}

static void json_to_json(void)
{
    struct issues issues;
    const struct node *root = NULL;
    begin(&issues);
    must(json_parse(arena, json, &issues, &root) == 0, "JSON can't be read");
    json_node(&out, root);
}

/* --- bare yajl ---------------------------------------------------------------------------- */

static int on_null(void *gen)
{
    return yajl_gen_null(gen) == yajl_gen_status_ok;
}

static int on_boolean(void *gen, int value)
{
    return yajl_gen_bool(gen, value) == yajl_gen_status_ok;
}

static int on_number(void *gen, const char *p, size_t n)
{
    return yajl_gen_number(gen, p, n) == yajl_gen_status_ok;
}

static int on_string(void *gen, const unsigned char *p, size_t n)
{
    return yajl_gen_string(gen, p, n) == yajl_gen_status_ok;
}

static int on_map(void *gen)
{
    return yajl_gen_map_open(gen) == yajl_gen_status_ok;
}

static int on_map_end(void *gen)
{
    return yajl_gen_map_close(gen) == yajl_gen_status_ok;
}

static int on_array(void *gen)
{
    return yajl_gen_array_open(gen) == yajl_gen_status_ok;
}

static int on_array_end(void *gen)
{
    return yajl_gen_array_close(gen) == yajl_gen_status_ok;
}

static void yajl(void)
{
    static const yajl_callbacks calls = {
        .yajl_null = on_null,
        .yajl_boolean = on_boolean,
        .yajl_number = on_number,
        .yajl_string = on_string,
        .yajl_start_map = on_map,
        .yajl_map_key = on_string,
        .yajl_end_map = on_map_end,
        .yajl_start_array = on_array,
        .yajl_end_array = on_array_end,
    };
    yajl_gen gen = yajl_gen_alloc(NULL);
    yajl_handle handle = yajl_alloc(&calls, NULL, gen);
    const unsigned char *p = (const unsigned char *)json.p;
    must(yajl_parse(handle, p, json.n) == yajl_status_ok, "yajl refuses it");
    must(yajl_complete_parse(handle) == yajl_status_ok, "yajl refuses it");
    size_t n = 0;
    must(yajl_gen_get_buf(gen, &p, &n) == yajl_gen_status_ok && n, "yajl writes nothing");
    yajl_free(handle);
    yajl_gen_free(gen);
}

/* ------------------------------------------------------------------------------------------ */

static double turn(void (*work)(void))
{
    double began = cpu_us();
    double took = 0;
    int n = 0;
    do {
        work();
        n++;
        took = cpu_us() - began;
    } while (took < TURN_US);
    return took / n;
}

static void make_xml(const char *path)
{
    json_to_xml();
    char *copy = malloc(out.n);
    must(copy != NULL, "no memory");
    memcpy(copy, out.p, out.n);
    xml = str_of(copy, out.n);
    FILE *file = path ? fopen(path, "wb") : NULL;
    if (file) {
        must(fwrite(xml.p, 1, xml.n, file) == xml.n && fclose(file) == 0, "can't write");
    }
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*work)(void);
    } works[] = {
        { "xml_to_json_us", xml_to_json },
        { "json_to_xml_us", json_to_xml },
        { "json_us", json_to_json },
        { "yajl_us", yajl },
    };
    double best[ARRAY_LEN(works)] = { 0 };
    if (argc < 2) {
        (void)fprintf(stderr, "usage: fhir_bench FILE.json [SECONDS] [FILE.xml]\n");
        return 64;
    }
    double seconds = argc > 2 ? atof(argv[2]) : 1;
    json.p = file_text(argv[1], &json.n);
    arena = arena_new(ARENA_FIRST);
    out = (struct buf){ .p = malloc(OUT_MAX), .cap = OUT_MAX, .limit = OUT_MAX };
    must(arena && out.p, "no memory");
    make_xml(argc > 3 ? argv[3] : NULL);
    double end = cpu_us() + seconds * 1e6;
    do {
        for (size_t i = 0; i < ARRAY_LEN(works); i++) {
            double took = turn(works[i].work);
            best[i] = best[i] == 0 || took < best[i] ? took : best[i];
        }
    } while (cpu_us() < end);
    printf("{\"json\":%zu,\"xml\":%zu", json.n, xml.n);
    for (size_t i = 0; i < ARRAY_LEN(works); i++) {
        printf(",\"%s\":%.1f", works[i].name, best[i]);
    }
    printf("}\n");
    return 0;
}
