#include "gateway/replayed.h"

#include "crypto/base/hex.h"
#include "fhir/consent/action.h"
#include "fhir/consent/purpose.h"

#include <errno.h>

/* "LISTENER:NUMBER", as dossier_route() names it. */
static const struct config_route *route_of(const struct config *config, struct str name)
{
    for (size_t i = 0; i < config->routes.n; i++) {
        char memory[RECORD_NAME_MAX + 1];
        struct buf text = buf_fixed(memory, sizeof(memory));
        const struct config_route *route = config_route(config, i);
        buf_fmt(&text, "%s:%d", route->from, route->index);
        if (!buf_failed(&text) && str_eq(buf_str(&text), name)) {
            return route;
        }
    }
    return NULL;
}

static struct str base_of(const struct config *config, const struct config_route *route)
{
    for (size_t i = 0; i < config->listeners.n; i++) {
        const struct config_listener *listener = config_listener(config, i);
        if (strcmp(listener->place.name, route->from) == 0 && listener->base) {
            struct str base = str_z(listener->base);
            return str_ends(base, STR("/")) ? str_slice(base, 0, base.n - 1) : base;
        }
    }
    return STR("");
}

/* A message is asked for the organization that gets it. */
static int ask_message(const struct config *config, const struct config_route *route,
                       struct replayed *out)
{
    const struct config_destination *to =
        route->to.n ? config_destination_named(config, route->to.items[0]) : NULL;
    if (!to || !route->purpose) {
        return REPLAYED_E_FORM;
    }
    out->asker.actors[0] = str_z(to->organization);
    out->request.actors = out->asker.actors;
    out->request.n_actors = 1;
    out->request.actors_unknown = config->consent && config->consent->directory;
    out->request.purposes = purpose_bit(str_z(route->purpose));
    out->request.action = ACTION_DISCLOSE;
    return 0;
}

static int ask_request(struct arena *arena, const struct record *record, struct str actor,
                       struct str base, struct replayed *out)
{
    struct claims claims;
    struct belonging belonging;
    struct str text = arena_str(arena, actor);
    struct str name = str_z(record_interaction_name(record->interaction));
    out->request.action =
        record->interaction == RECORD_BREAK_GLASS ? ACTION_ACCESS : action_of_interaction(name);
    if (out->request.action == ACTION_NONE) {
        return REPLAYED_E_FORM;
    }
    int r = text.p ? asker_read(arena, text, &claims, &belonging) : -ENOMEM;
    if (r != 0) {
        return r < 0 ? r : REPLAYED_E_FORM;
    }
    r = asker_request(arena, &claims, base, &out->asker, &out->request);
    if (r == 0) {
        asker_belong(&belonging, &out->asker, &out->request);
    }
    if (r == 0 && purpose_breaks_glass(out->request.purposes)) {
        out->request.purposes &= purpose_bit(STR("BTG")) | purpose_bit(STR("ETREAT"));
        out->request.n_other_purposes = 0;
    }
    return r;
}

int replayed_read(struct arena *arena, const struct config *config, const struct record *record,
                  const struct opening *opening, struct replayed *out)
{
    bool message =
        record->interaction == RECORD_V2_RECEIVE || record->interaction == RECORD_V2_DELIVER;
    const struct config_route *route = route_of(config, record->route);
    *out = (struct replayed){ .request.now = (int64_t)record->time };
    if (!route || !opening->has[COMMITMENT_SUBJECT] || !opening->has[COMMITMENT_ACTOR] ||
        hex_decode(opening->value[COMMITMENT_SUBJECT], out->patient, sizeof(out->patient)) <
            0) {
        return REPLAYED_E_FORM;
    }
    return message ? ask_message(config, route, out)
                   : ask_request(arena, record, opening->value[COMMITMENT_ACTOR],
                                 base_of(config, route), out);
}
