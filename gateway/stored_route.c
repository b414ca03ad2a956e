/* Names of ways, written and read. */
#include "gateway/stored_route.h"

void stored_route_put(struct buf *out, const struct config_listener *listener,
                      const struct stored_route *way)
{
    const struct config_sender *first = listener->senders.items;
    buf_fmt(out, "%s:%d:%d", way->route->from, way->route->index, (int)(way->sender - first));
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

bool stored_route_find(const struct config *config, struct str name, struct stored_route *out)
{
    struct str listener = str_cut(&name, ':');
    struct str number = str_cut(&name, ':');
    size_t route;
    size_t sender;
    if (!read_number(number, &route) || !read_number(name, &sender) ||
        route >= config->routes.n ||
        !str_eq(str_z(config_route(config, route)->from), listener)) {
        return false;
    }
    for (size_t i = 0; i < config->listeners.n; i++) {
        const struct config_listener *from = config_listener(config, i);
        if (str_eq(str_z(from->place.name), listener) && sender < from->senders.n) {
            *out = (struct stored_route){
                .route = config_route(config, route),
                .sender = (const struct config_sender *)from->senders.items + sender,
            };
            return true;
        }
    }
    return false;
}
