/* Names of ways, written and read. */
#include "gateway/stored_route.h"

void stored_route_put(struct buf *out, const struct config_listener *listener,
                      const struct stored_route *way)
{
    const struct config_sender *first = listener->senders.items;
    buf_fmt(out, "%s:%d", way->route->from, way->route->index);
    if (way->sender) {
        buf_fmt(out, ":%d", (int)(way->sender - first));
    }
}

static bool read_number(struct str text, size_t *out)
{
    size_t value = 0;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] < '0' || text.p[i] > '9' || i == 9) {
            return false;
        }
        value = value * 10 + (size_t)(text.p[i] - '0');
    }
    *out = value;
    return text.n > 0;
}

/* The sender that @text names by its number; false: @from has none such. */
static bool find_sender(const struct config_listener *from, struct str text,
                        const struct config_sender **out)
{
    size_t sender;
    if (from->protocol == PROTOCOL_FHIR) {
        *out = NULL;
        return text.n == 0;
    }
    if (!read_number(text, &sender) || sender >= from->senders.n) {
        return false;
    }
    *out = (const struct config_sender *)from->senders.items + sender;
    return true;
}

bool stored_route_find(const struct config *config, struct str name, struct stored_route *out)
{
    struct str listener = str_cut(&name, ':');
    struct str number = str_cut(&name, ':');
    size_t route;
    if (!read_number(number, &route) || route >= config->routes.n ||
        !str_eq(str_z(config_route(config, route)->from), listener)) {
        return false;
    }
    const struct config_listener *from =
        config_listener_named(config, config_route(config, route)->from);
    struct stored_route found = { .route = config_route(config, route) };
    if (!from || !find_sender(from, name, &found.sender)) {
        return false;
    }
    *out = found;
    return true;
}
