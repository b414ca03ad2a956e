/* Ways through the gateway: which ends there are, and which of them fit. */
#include "gateway/config/ways.h"

#include "fhir/consent/purpose.h"
#include "fhir/v2/charset.h"
#include "gateway/net/url.h"

static void check_receiver(const struct config_destination *to, struct config_errors *errors)
{
    const struct config_receiver *receiver = to->receiver;
    int line = receiver->place.line;
    if (to->protocol != PROTOCOL_MLLP) {
        config_error(errors, line, to->place.name,
                     "receiver says how v2 messages are written, and this is no v2 receiver");
    }
    if (receiver->charset) {
        enum v2_charset charset = v2_charset_find(str_z(receiver->charset));
        if (charset <= V2_CHARSET_OTHER || charset == V2_CHARSET_UTF16 ||
            charset == V2_CHARSET_UTF32) {
            config_error(errors, line, to->place.name,
                         "no character set \"%s\" to write messages in", receiver->charset);
        }
    }
}

void config_check_destination(const struct config_destination *to, struct config_errors *errors)
{
    const struct config_place *at = &to->place;
    if (to->protocol == PROTOCOL_FHIR && !to->url) {
        config_error(errors, at->line, at->name, "needs url, the FHIR base of the server");
    }
    struct url url;
    if (to->url && url_parse(str_z(to->url), &url) != 0) {
        config_error(errors, at->line, at->name, "url is no http or https URL");
    }
    if (to->protocol == PROTOCOL_MLLP && !to->address) {
        config_error(errors, at->line, at->name, "needs address, host:port of the receiver");
    }
    if (to->auth && to->auth->kind == AUTH_BEARER && !to->auth->token_file) {
        config_error(errors, to->auth->place.line, at->name, "bearer needs token_file");
    }
    if (to->receiver) {
        check_receiver(to, errors);
    }
    if (to->retry_least > to->retry_most) {
        config_error(errors, at->line, at->name, "retry_least is above retry_most");
    }
}

static bool leads_to_fhir(const struct config *config, const struct config_route *route)
{
    bool fhir = false;
    for (size_t i = 0; i < route->to.n; i++) {
        const struct config_destination *to =
            config_destination_named(config, route->to.items[i]);
        fhir |= to && to->protocol == PROTOCOL_FHIR;
    }
    return fhir;
}

static void check_validation(const struct config *config, const struct config_route *route,
                             struct config_errors *errors)
{
    const struct config_listener *from =
        config_listener_named(config, route->from ? route->from : "");
    bool messages = from && from->protocol == PROTOCOL_MLLP;
    if (route->validate != VALIDATE_OFF && messages && !leads_to_fhir(config, route)) {
        config_error(errors, route->place.line, "routes",
                     "validate looks at FHIR, and this route leads to no FHIR destination");
    }
    if (messages && route->profiles.n && route->validate == VALIDATE_OFF) {
        config_error(errors, route->place.line, "routes",
                     "profiles of messages need validate: warn or reject");
    }
}

/* Whether all that @route names exist. */
static bool check_names(const struct config *config, const struct config_route *route,
                        struct config_errors *errors)
{
    int line = route->place.line;
    int before = errors->count;
    if (route->from && !config_listener_named(config, route->from)) {
        config_error(errors, line, "routes", "no listener is called \"%s\"", route->from);
    }
    if (route->to.n == 0) {
        config_error(errors, line, "routes", "to names no destination");
    }
    for (size_t i = 0; i < route->to.n; i++) {
        if (!config_destination_named(config, route->to.items[i])) {
            config_error(errors, line, "routes", "no destination is called \"%s\"",
                         route->to.items[i]);
        }
    }
    return route->from && errors->count == before;
}

void config_check_route(const struct config *config, const struct config_route *route,
                        struct config_errors *errors)
{
    int line = route->place.line;
    bool named = check_names(config, route, errors);
    const struct config_listener *from =
        config_listener_named(config, route->from ? route->from : "");
    bool fhir = from && from->protocol == PROTOCOL_FHIR;
    if (named && fhir && leads_to_fhir(config, route) && route->to.n > 1) {
        config_error(
            errors, line, "routes",
            "a FHIR listener leads to exactly one FHIR destination, or to v2 receivers");
    }
    if (from && !route->purpose && (!fhir || (named && !leads_to_fhir(config, route)))) {
        config_error(errors, line, "routes",
                     "a route of v2 messages needs a purpose; none is ever assumed");
    } else if (route->purpose && !purpose_bit(str_z(route->purpose))) {
        config_error(errors, line, "routes", "purpose \"%s\" is no code of v3 PurposeOfUse",
                     route->purpose);
    }
    check_validation(config, route, errors);
}

bool config_leads_to_v2(const struct config *config, const struct config_route *route)
{
    return route->to.n && !leads_to_fhir(config, route);
}
