/*
 * What was found is kept in slots, each asker's place given by a hash: another one in the same
 * slot takes it over.
 *
 *   find --organization--> the one above --...--> roles --> care teams --> groups --> keep
 *           +-- any answer that can't be had or read: unknown, keep --+
 */
#include "gateway/directory.h"

#include "crypto/digest.h"
#include "fhir/format/json.h"
#include "fhir/rest/query.h"
#include "gateway/clock.h"
#include "gateway/config/config.h"
#include "gateway/log.h"
#include "gateway/metrics.h"
#include "gateway/net/timer.h"
#include "gateway/way_out.h"

#include <stdlib.h>

enum {
    SLOTS = 1 << 12,
    ANSWER_MAX = 4 << 20,
    ANSWER_MS = 3000,
    RETRY_MS = 1000,
    TARGET_MAX = 16 << 10,
    ARENA_FIRST = 16 << 10,
    TEXT_MAX = 64 << 10, /* all names of an asker */
};

/* @until: when it is forgotten; @text: @n names, each with a zero at its end; owned */
struct slot {
    uint8_t key[DIGEST_SIZE];
    int64_t until;
    bool unknown;
    size_t n;
    char *text;
};

struct directory {
    struct worker *worker;
    struct way_out *out; /* NULL: there is none */
    struct slot *slots;
    struct event *tick; /* owned; of the destinations' organizations */
    struct op **own;    /* of each destination; NULL: not being asked */
};

/* --- what is known ------------------------------------------------------------------------ */

static void key_of(const struct directory_asker *asker, uint8_t key[DIGEST_SIZE])
{
    const struct str parts[] = { asker->organization, STR("\0"), asker->user, STR("\0"),
                                 asker->base };
    digest_sha256_parts(parts, ARRAY_LEN(parts), key);
}

static struct slot *slot_at(const struct directory *directory, const uint8_t key[DIGEST_SIZE])
{
    return &directory->slots[(key[0] | (unsigned)key[1] << 8) % SLOTS];
}

/* The slot that knows @asker; NULL: none does. */
static const struct slot *find(const struct directory *directory,
                               const struct directory_asker *asker)
{
    uint8_t key[DIGEST_SIZE];
    key_of(asker, key);
    const struct slot *slot = slot_at(directory, key);
    bool known =
        slot->text && memcmp(slot->key, key, sizeof(key)) == 0 && clock_mono_ms() < slot->until;
    return known ? slot : NULL;
}

bool directory_asks(const struct directory *directory, const struct directory_asker *asker)
{
    return directory->out && (asker->organization.n > 0 || asker->user.n > 0);
}

void directory_known(const struct directory *directory, struct arena *arena,
                     const struct directory_asker *asker, struct belonging *out)
{
    *out = (struct belonging){ 0 };
    if (!directory_asks(directory, asker)) {
        return;
    }
    const struct slot *slot = find(directory, asker);
    if (!slot) {
        out->unknown = true;
        return;
    }
    const char *at = slot->text;
    for (size_t i = 0; i < slot->n; i++) {
        struct str name = arena_str(arena, str_z(at));
        at += strlen(at) + 1;
        if (!str_eq(name, asker->organization) && !str_eq(name, asker->user)) {
            belonging_add(out, name);
        }
    }
    out->unknown |= slot->unknown;
}

static const char SILENT[] = "directory";

const char *directory_basis(const struct consent_request *request,
                            const struct consent_evidence *evidence)
{
    bool silent = request->actors_unknown && evidence->verdict.basis == CONSENT_BASIS_IN_DOUBT;
    return silent ? SILENT : consent_basis_name(evidence->verdict.basis);
}

bool directory_silent(const char *basis)
{
    return strcmp(basis, SILENT) == 0;
}

/* --- asking ------------------------------------------------------------------------------- */

enum ask {
    ASK_ORGANIZATION,
    ASK_ROLES,
    ASK_TEAMS,
    ASK_GROUPS,
    ASK_NOTHING,
};

struct look {
    struct op op;
    struct directory *directory;
    struct arena *arena;
    struct directory_asker asker;
    struct belonging_place place;
    struct belonging names; /* found, the asker's own first */
    enum ask stage;
    struct str organization; /* to be asked for next */
    unsigned depth;
    struct op *fetch;
    directory_done_fn done;
    void *arg;
};

static void look_free(struct look *look)
{
    arena_free(look->arena);
    free(look);
}

static void cancel(struct op *op)
{
    struct look *look = (struct look *)op;
    op_cancel(look->fetch);
    look_free(look);
}

static void keep(const struct look *look)
{
    struct directory *directory = look->directory;
    int64_t age = directory->worker->config->consent->directory_age;
    struct buf text = arena_buf(look->arena, TEXT_MAX);
    uint8_t key[DIGEST_SIZE];
    key_of(&look->asker, key);
    for (size_t i = 0; i < look->names.n; i++) {
        buf_str_put(&text, look->names.at[i]);
        buf_c(&text, '\0');
    }
    char *copy = buf_failed(&text) ? NULL : malloc(text.n + 1);
    if (!copy) {
        return; /* not known, then */
    }
    if (text.n) {
        memcpy(copy, text.p, text.n);
    }
    struct slot *slot = slot_at(directory, key);
    free(slot->text);
    *slot = (struct slot){
        .until = clock_mono_ms() + (look->names.unknown ? RETRY_MS : age),
        .unknown = look->names.unknown,
        .n = look->names.n,
        .text = copy,
    };
    memcpy(slot->key, key, sizeof(key));
}

static void end(struct look *look)
{
    directory_done_fn done = look->done;
    void *arg = look->arg;
    keep(look);
    look_free(look);
    done(arg);
}

/* "a,b" of the names that are resources of the directory and of one of @types. */
static bool put_members(const struct look *look, struct buf *out, const char *const types[])
{
    bool any = false;
    for (size_t i = 0; i < look->names.n; i++) {
        struct str local = belonging_local(&look->place, look->names.at[i]);
        struct str rest = local;
        struct str type = str_cut(&rest, '/');
        for (size_t k = 0; local.n && types[k]; k++) {
            if (str_eq(type, str_z(types[k]))) {
                buf_z(out, any ? "," : "");
                query_token(out, local);
                any = true;
            }
        }
    }
    return any;
}

static void put_organization(const struct look *look, const char *query, const char *extra,
                             struct buf *out)
{
    struct str local = belonging_local(&look->place, look->organization);
    if (local.n) {
        buf_str_put(out, local);
        return;
    }
    const char *bar = memchr(look->organization.p, '|', look->organization.n);
    size_t at = bar ? (size_t)(bar - look->organization.p) : 0;
    buf_z(out, query);
    if (bar) {
        query_token(out, str_slice(look->organization, 0, at));
        buf_z(out, "%7C");
        at++;
    }
    query_token(out, str_slice(look->organization, at, look->organization.n));
    buf_z(out, extra);
}

/* What the stage asks for onto @out; false: nothing. */
static bool put_target(const struct look *look, struct buf *out)
{
    static const struct {
        const char *query;
        const char *extra;
        const char *types[5];
    } kinds[] = {
        [ASK_ORGANIZATION] = { "Organization?identifier=", "&_count=2", { NULL } },
        [ASK_ROLES] = { "PractitionerRole?practitioner=", "", { "Practitioner" } },
        [ASK_TEAMS] = { "CareTeam?participant=",
                        "&status=active",
                        { "Practitioner", "PractitionerRole", "Organization",
                          "RelatedPerson" } },
        [ASK_GROUPS] = { "Group?member=", "", { "Practitioner", "PractitionerRole" } },
    };
    buf_str_put(out, look->directory->out->base_path);
    buf_c(out, '/');
    if (look->stage == ASK_ORGANIZATION) {
        put_organization(look, kinds[look->stage].query, kinds[look->stage].extra, out);
        return look->organization.n > 0;
    }
    buf_z(out, kinds[look->stage].query);
    bool any = put_members(look, out, kinds[look->stage].types);
    buf_fmt(out, "%s&_count=%d", kinds[look->stage].extra, BELONGING_PAGE);
    return any;
}

static bool advance(struct look *look);

/* The Organization, and on to the one above. */
static void take_organization(struct look *look, const struct node *root)
{
    struct reference above;
    struct str asked = look->organization;
    look->organization = (struct str){ 0 };
    look->stage = ASK_ROLES;
    if (!belonging_organization(look->arena, &look->place, root, asked, &look->names, &above) ||
        above.form == REFERENCE_NONE) {
        return;
    }
    size_t before = look->names.n;
    struct str name = belonging_name(look->arena, &look->place, &above);
    belonging_add(&look->names, name);
    bool is_new = look->names.n > before; /* else a circle, which is whole by now */
    if (is_new && look->depth++ == BELONGING_DEPTH_MAX) {
        look->names.unknown = true;
    } else if (is_new) {
        look->organization = name;
        look->stage = ASK_ORGANIZATION;
    }
}

static void on_answer(void *owner, const struct http_answer *answer)
{
    struct look *look = owner;
    const struct node *root = NULL;
    struct issues issues;
    look->fetch = NULL;
    issues_init(&issues, look->arena);
    bool good = !answer->fail && answer->head->status == 200;
    struct str body = good ? arena_str(look->arena, answer->body) : (struct str){ 0 };
    if (!body.p || json_parse(look->arena, body, &issues, &root) != 0) {
        metrics_add(METRIC_DIRECTORY_FAILED, 1);
        log_line(LOG_WARN, "the directory of actors gave no answer",
                 LOG_I("status", answer->fail ? 0 : answer->head->status));
        look->names.unknown = true;
        end(look);
        return;
    }
    if (look->stage == ASK_ORGANIZATION) {
        take_organization(look, root);
    } else {
        belonging_members(look->arena, &look->place, root, &look->names, clock_utc_ms(),
                          &look->names);
        look->stage++;
    }
    if (!advance(look)) {
        end(look);
    }
}

/* Start the next question; false: it couldn't be. */
static bool start(struct look *look, struct str target)
{
    const struct way_out *out = look->directory->out;
    struct str authorization = way_out_authorization(out, look->arena);
    const struct http_field fields[] = {
        { .name = STR("Accept"), .value = STR("application/fhir+json") },
        { .name = STR("Authorization"), .value = authorization },
    };
    const struct http_ask ask = {
        .method = STR("GET"),
        .target = target,
        .fields = fields,
        .n_fields = authorization.n ? 2 : 1,
        .first_byte_ms = ANSWER_MS,
    };
    look->fetch = http_fetch(out->http, &ask, ANSWER_MAX, on_answer, look);
    return look->fetch != NULL;
}

/* Ask what is to be asked next; false: nothing any more. */
static bool advance(struct look *look)
{
    for (; look->stage < ASK_NOTHING; look->stage++) {
        struct buf target = arena_buf(look->arena, TARGET_MAX);
        if (!put_target(look, &target)) {
            continue;
        }
        if (!buf_failed(&target) && start(look, buf_str(&target))) {
            return true;
        }
        look->names.unknown = true;
        return false;
    }
    return false;
}

static struct look *look_new(struct directory *directory, const struct directory_asker *asker)
{
    struct look *look = calloc(1, sizeof(*look));
    struct arena *arena = arena_new(ARENA_FIRST);
    if (!look || !arena) {
        free(look);
        arena_free(arena);
        return NULL;
    }
    look->op.cancel = cancel;
    look->directory = directory;
    look->arena = arena;
    look->asker.organization = arena_str(arena, asker->organization);
    look->asker.user = arena_str(arena, asker->user);
    look->asker.base = arena_str(arena, asker->base);
    look->place.base = directory->out->base_url;
    look->place.local = str_eq(asker->base, directory->out->base_url);
    look->organization = look->asker.organization;
    if (look->asker.organization.n) {
        belonging_add(&look->names, look->asker.organization);
    }
    if (look->asker.user.n) {
        struct str local = belonging_local(&look->place, look->asker.user);
        bool is_local = look->place.local && local.n;
        belonging_add(&look->names, is_local ? local : look->asker.user);
    }
    return look;
}

/* Ask, whatever is known; NULL: nothing has to be waited for. */
static struct op *look_start(struct directory *directory, const struct directory_asker *asker,
                             directory_done_fn done, void *arg)
{
    struct look *look = look_new(directory, asker);
    if (!look) {
        return NULL;
    }
    look->done = done;
    look->arg = arg;
    if (advance(look)) {
        return &look->op;
    }
    keep(look);
    look_free(look);
    return NULL;
}

struct op *directory_find(struct directory *directory, const struct directory_asker *asker,
                          directory_done_fn done, void *arg)
{
    bool wanted = directory_asks(directory, asker) && !find(directory, asker);
    return wanted ? look_start(directory, asker, done, arg) : NULL;
}

/* --- the organizations of destinations ---------------------------------------------------- */

struct directory_asker directory_destination(const struct way_out *to)
{
    return (struct directory_asker){ .organization = str_z(to->config->organization),
                                     .base = to->base_url };
}

static void on_own(void *arg)
{
    *(struct op **)arg = NULL;
}

static void on_tick(evutil_socket_t fd, short events, void *arg)
{
    (void)fd;
    (void)events;
    struct directory *directory = arg;
    struct worker *worker = directory->worker;
    for (size_t i = 0; i < worker->way_out_count; i++) {
        const struct directory_asker asker = directory_destination(&worker->ways_out[i]);
        if (!directory->own[i] && asker.organization.n) {
            directory->own[i] = look_start(directory, &asker, on_own, &directory->own[i]);
        }
    }
    (void)timer_once(directory->tick, worker->config->consent->directory_age / 2);
}

struct directory *directory_new(struct worker *worker)
{
    const struct config_consent *config = worker->config->consent;
    struct directory *directory = calloc(1, sizeof(*directory));
    if (!directory) {
        return NULL;
    }
    directory->worker = worker;
    if (!config || !config->directory) {
        return directory;
    }
    directory->out = worker_way_out(worker, config->directory);
    directory->slots = calloc(SLOTS, sizeof(*directory->slots));
    directory->tick = event_new(worker->loop, -1, 0, on_tick, directory);
    directory->own =
        arena_calloc(worker->arena, worker->way_out_count + 1, sizeof(struct op *));
    if (!directory->slots || !directory->tick || !directory->own) {
        directory_free(directory);
        return NULL;
    }
    return directory;
}

void directory_start(struct directory *directory)
{
    if (directory->out) {
        on_tick(-1, 0, directory);
    }
}

void directory_free(struct directory *directory)
{
    if (!directory) {
        return;
    }
    for (size_t i = 0; directory->own && i < directory->worker->way_out_count; i++) {
        op_cancel(directory->own[i]);
    }
    for (size_t i = 0; directory->slots && i < SLOTS; i++) {
        free(directory->slots[i].text);
    }
    if (directory->tick) {
        event_free(directory->tick);
    }
    free(directory->slots);
    free(directory);
}
