/*
 * Translating with a control id that stands for none, and putting the digest in its place.
 * Where a site's map writes MSH-10 itself, that stays.
 */
#include "gateway/v2_made.h"

#include "crypto/base/buf.h"
#include "crypto/digest.h"
#include "gateway/v2_site.h"

#include <errno.h>
#include <string.h>

enum {
    CONTROL_FIELD = 10,
    CONTROL_BYTES = 10, /* of the digest: 20 characters are what MSH-10 takes in all versions */
};

static const struct str NO_CONTROL = STR_INIT("00000000000000000000");

/* MSH-10 of a message that was written here: the field separator is its fourth character. */
static struct str control_of(struct str text)
{
    struct str msh = str_cut(&text, '\r');
    char separator = msh.n > 3 ? msh.p[3] : '|';
    for (int field = 1; field < CONTROL_FIELD; field++) {
        (void)str_cut(&msh, separator);
    }
    return str_cut(&msh, separator);
}

/* Put the digest where no control id stands. */
static int set_control(struct arena *arena, const struct v2_written *written,
                       struct v2_made *made)
{
    char *text = arena_alloc(arena, made->text.n);
    struct str name = str_z(written->to->place.name);
    struct digest digest;
    uint8_t bytes[DIGEST_SIZE];
    if (!text) {
        return -ENOMEM;
    }
    digest_start(&digest);
    digest_put(&digest, str_of(written->exchange, 16));
    digest_put(&digest, str_of(name.p, name.n + 1)); /* with the zero that ends it */
    digest_put(&digest, made->text);
    digest_end(&digest, bytes);
    memcpy(text, made->text.p, made->text.n);
    char *control = text + (made->control.p - made->text.p);
    struct buf hex = buf_fixed(control, NO_CONTROL.n);
    buf_hex(&hex, bytes, CONTROL_BYTES);
    made->text.p = text;
    made->control.p = control;
    return 0;
}

static void describe(const struct v2_written *written, struct translate_receiver *to)
{
    const struct config_receiver *config = written->to->receiver;
    *to = (struct translate_receiver){
        .rules = written->rules,
        .version = V2_VERSION_USUAL,
        .delims = V2_DELIMS_USUAL,
        .control = NO_CONTROL,
    };
    if (config) {
        to->event = str_z(config->event ? config->event : "");
        to->version = (enum v2_version)config->version;
        to->beyond = config->beyond;
        to->charset = str_z(config->charset ? config->charset : "");
    }
}

/* The words that the route asks maps for, and the receiver's names of authorities. */
static int put_lists(struct arena *arena, const struct v2_written *written,
                     struct translate_receiver *to)
{
    static const struct config_pairs none;
    const struct config_strings *options = &written->route->options;
    const struct config_receiver *config = written->to->receiver;
    const struct config_pairs *pairs = config ? &config->assigners : &none;
    struct str *words = arena_calloc(arena, options->n + 1, sizeof(*words));
    struct v2_assigner *list = arena_calloc(arena, pairs->n + 1, sizeof(*list));
    if (!words || !list) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < options->n; i++) {
        words[i] = str_z(options->items[i]);
    }
    for (size_t i = 0; i < pairs->n; i++) {
        list[i] = (struct v2_assigner){ .authority = str_z(pairs->items[i].name),
                                        .system = str_z(pairs->items[i].value) };
    }
    to->options = words;
    to->option_count = options->n;
    to->assigners = (struct v2_assigners){ .list = list, .count = pairs->n };
    return 0;
}

int v2_made(struct arena *arena, const struct v2_written *written, struct v2_made *out,
            struct issues *issues)
{
    struct translate_receiver to;
    struct translate_message message;
    describe(written, &to);
    to.recorded = v2_site_instant(arena, written->accepted);
    int r = to.recorded.n ? put_lists(arena, written, &to) : -ENOMEM;
    r = r ? r : translate_to_v2(arena, written->root, &to, &message, issues);
    if (r != 0) {
        return r;
    }
    struct v2_made made = { .text = message.text, .control = control_of(message.text) };
    r = str_eq(made.control, NO_CONTROL) ? set_control(arena, written, &made) : 0;
    if (r == 0) {
        *out = made;
    }
    return r;
}
