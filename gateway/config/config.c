/*
 * What the options mean together: names that must exist, pairs that need each other.
 *
 * The table of options is in options.c.
 */
#include "gateway/config/config.h"

#include "crypto/digest.h"
#include "crypto/secp.h"
#include "fhir/v2/charset.h"
#include "gateway/config/ways.h"
#include "gateway/identity/role.h"
#include "gateway/net/url.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    REASON_MAX = 64,
};

const struct config_listener *config_listener(const struct config *config, size_t i)
{
    return (const struct config_listener *)config->listeners.items + i;
}

const struct config_destination *config_destination(const struct config *config, size_t i)
{
    return (const struct config_destination *)config->destinations.items + i;
}

const struct config_route *config_route(const struct config *config, size_t i)
{
    return (const struct config_route *)config->routes.items + i;
}

const struct config_destination *config_destination_named(const struct config *config,
                                                          const char *name)
{
    for (size_t i = 0; i < config->destinations.n; i++) {
        if (strcmp(config_destination(config, i)->place.name, name) == 0) {
            return config_destination(config, i);
        }
    }
    return NULL;
}

const struct config_issuer *config_issuer(const struct config_listener *listener,
                                          struct str issuer)
{
    const struct config_issuer *issuers = listener->issuers.items;
    for (size_t i = 0; i < listener->issuers.n; i++) {
        if (str_eq(str_z(issuers[i].issuer), issuer)) {
            return &issuers[i];
        }
    }
    return NULL;
}

const struct config_listener *config_listener_named(const struct config *config,
                                                    const char *name)
{
    for (size_t i = 0; i < config->listeners.n; i++) {
        if (strcmp(config_listener(config, i)->place.name, name) == 0) {
            return config_listener(config, i);
        }
    }
    return NULL;
}

struct str config_base(const struct config_listener *listener)
{
    struct str base = str_z(listener->base);
    return str_ends(base, STR("/")) ? str_slice(base, 0, base.n - 1) : base;
}

static void check_tls(const struct config_tls *tls, bool server, struct config_errors *errors)
{
    if (!tls) {
        return;
    }
    if (!tls->certificate != !tls->key || (server && !tls->certificate)) {
        config_error(errors, tls->place.line, tls->place.name,
                     "needs certificate and key together");
    }
    if (tls->require_client && !tls->clients) {
        config_error(errors, tls->place.line, tls->place.name,
                     "require_client needs clients, the authorities to check against");
    }
}

static void check_role_list(const struct config_strings *list, const struct config_place *at,
                            struct config_errors *errors)
{
    if (!list->items) {
        return; /* left out */
    }
    if (list->n == 0) {
        config_error(errors, at->line, at->name,
                     "a list names no role; name one, or leave it out to ask for none");
    }
    for (size_t i = 0; i < list->n; i++) {
        if (!role_known_form(list->items[i])) {
            config_error(errors, at->line, at->name,
                         "\"%s\" is no role; write SYSTEM#CODE, or CODE", list->items[i]);
        }
    }
}

static void check_roles(const struct config_roles *roles, struct config_errors *errors)
{
    check_role_list(&roles->read, &roles->place, errors);
    check_role_list(&roles->search, &roles->place, errors);
    check_role_list(&roles->write, &roles->place, errors);
    check_role_list(&roles->consent, &roles->place, errors);
    check_role_list(&roles->break_glass, &roles->place, errors);
    check_role_list(&roles->explain, &roles->place, errors);
    check_role_list(&roles->attest, &roles->place, errors);
}

static void check_keys(const struct config_issuer *issuer, size_t i, const char *listener,
                       struct config_errors *errors)
{
    struct url url = { 0 };
    check_tls(issuer->tls, false, errors);
    if (!issuer->jwks_file == !issuer->jwks_url) {
        config_error(errors, issuer->place.line, listener,
                     "issuer %zu needs either jwks_file or jwks_url", i);
    } else if (issuer->jwks_url && url_parse(str_z(issuer->jwks_url), &url) != 0) {
        config_error(errors, issuer->place.line, listener,
                     "jwks_url of issuer %zu is no http or https URL", i);
    } else if (issuer->tls && !url.tls) {
        config_error(errors, issuer->place.line, listener,
                     "issuer %zu has tls, but no jwks_url with https", i);
    }
}

static void check_issuers(const struct config_listener *listener, struct config_errors *errors)
{
    const struct config_place *at = &listener->place;
    const struct config_issuer *issuers = listener->issuers.items;
    for (size_t i = 0; i < listener->issuers.n; i++) {
        check_keys(&issuers[i], i, at->name, errors);
        if (issuers[i].issuer &&
            config_issuer(listener, str_z(issuers[i].issuer)) != &issuers[i]) {
            config_error(errors, issuers[i].place.line, at->name,
                         "issuer \"%s\" is named twice", issuers[i].issuer);
        }
        if (issuers[i].roles) {
            check_roles(issuers[i].roles, errors);
        }
    }
}

/* Is @host the domain @above, or below it? */
static bool is_below(struct str host, struct str above)
{
    return str_eq(host, above) ||
           (host.n > above.n && str_ends(host, above) && host.p[host.n - above.n - 1] == '.');
}

static void check_login(const struct config_listener *listener, struct config_errors *errors)
{
    const struct config_login *login = listener->login;
    const struct config_place *at = &login->place;
    struct url url;
    if (listener->protocol != PROTOCOL_FHIR) {
        config_error(errors, at->line, at->name, "patients log in at FHIR listeners only");
    }
    if (login->origins.n == 0) {
        config_error(errors, at->line, at->name, "origins names none");
    }
    for (size_t i = 0; i < login->origins.n; i++) {
        if (url_parse(str_z(login->origins.items[i]), &url) != 0 || url.target.n) {
            config_error(errors, at->line, at->name,
                         "\"%s\" is no origin; write https://HOST or https://HOST:PORT",
                         login->origins.items[i]);
        } else if (login->rp_id && !is_below(url.host, str_z(login->rp_id))) {
            config_error(errors, at->line, at->name, "rp_id isn't the domain of \"%s\"",
                         login->origins.items[i]);
        }
    }
    const struct config_did_web *hosts = login->did_web.items;
    for (size_t i = 0; i < login->did_web.n; i++) {
        check_tls(hosts[i].tls, false, errors);
    }
    if (config_issuer(listener, config_base(listener))) {
        config_error(errors, at->line, at->name,
                     "the base is the issuer of these tokens, and named as another's");
    }
}

static void check_listener(const struct config_listener *listener, struct config_errors *errors)
{
    const struct config_place *at = &listener->place;
    check_tls(listener->tls, true, errors);
    if (listener->protocol == PROTOCOL_FHIR) {
        if (!listener->base) {
            config_error(errors, at->line, at->name,
                         "needs base, the URL that clients use for this listener");
        }
        if (listener->issuers.n == 0) {
            config_error(errors, at->line, at->name,
                         "needs issuers, those whose tokens are accepted");
        }
    } else if (listener->senders.n == 0) {
        config_error(errors, at->line, at->name,
                     "needs senders; a message from nobody known is refused");
    }

    const struct config_sender *senders = listener->senders.items;
    for (size_t i = 0; i < listener->senders.n; i++) {
        if (!senders[i].certificate && !senders[i].address) {
            config_error(errors, senders[i].place.line, at->name,
                         "sender %zu needs a certificate or an address", i);
        }
        enum v2_charset charset = v2_charset_find(str_z(senders[i].charset));
        if (charset <= V2_CHARSET_OTHER || charset == V2_CHARSET_UTF16 ||
            charset == V2_CHARSET_UTF32) {
            config_error(errors, senders[i].place.line, at->name,
                         "sender %zu: no character set \"%s\" to fall back on", i,
                         senders[i].charset);
        }
    }
    check_issuers(listener, errors);
    if (listener->login) {
        check_login(listener, errors);
    }
}

/* A reason goes into a table as it is: a word, nothing about anybody. */
static bool is_word(const char *text)
{
    size_t n = strlen(text);
    return n > 0 && n <= REASON_MAX &&
           strspn(text, "abcdefghijklmnopqrstuvwxyz"
                        "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") == n;
}

static void check_consent(const struct config *config, struct config_errors *errors)
{
    const struct config_consent *consent = config->consent;
    const struct config_place *at = &consent->place;
    const char *name = consent->directory ? consent->directory : "";
    const struct config_destination *to = config_destination_named(config, name);
    if (*name && (!to || to->protocol != PROTOCOL_FHIR)) {
        config_error(errors, at->line, at->name, "directory names no FHIR destination");
    } else if (*name && to->auth && to->auth->kind == AUTH_PASS) {
        config_error(errors, at->line, at->name,
                     "directory is asked by the gateway itself: there is nothing to pass on");
    }
}

static void check_break_glass(const struct config *config, struct config_errors *errors)
{
    const struct config_break_glass *glass = config->break_glass;
    const struct config_place *at = &glass->place;
    const struct config_destination *to =
        config_destination_named(config, glass->notify ? glass->notify : "");
    if (glass->notify && (!to || to->protocol != PROTOCOL_FHIR)) {
        config_error(errors, at->line, at->name, "notify names no FHIR destination");
    }
    if (glass->reasons.n == 0) {
        config_error(errors, at->line, at->name, "reasons names none");
    }
    for (size_t i = 0; i < glass->reasons.n; i++) {
        if (!is_word(glass->reasons.items[i])) {
            config_error(errors, at->line, at->name,
                         "reason \"%s\" is no word of up to %d letters, digits, - _ .",
                         glass->reasons.items[i], REASON_MAX);
        }
    }
}

static void check_account(const struct config_account *account, const char *name,
                          struct config_errors *errors)
{
    struct url url;
    uint8_t address[SECP_ADDRESS_SIZE];
    int line = account->place.line;
    bool here = account->keystore && account->password;
    if ((account->signer || account->address) == (account->keystore || account->password)) {
        config_error(errors, line, name,
                     "needs either keystore and password, or signer and "
                     "address");
    } else if (!account->signer && !here) {
        config_error(errors, line, name, "needs both keystore and password");
    } else if (!here && (!account->address || !account->signer ||
                         url_parse(str_z(account->signer), &url) != 0 ||
                         secp_address_parse(str_z(account->address), address) < 0)) {
        config_error(errors, line, name,
                     "needs signer, an http or https URL, and the address "
                     "of the account that it signs for");
    }
}

static void check_ledger(const struct config_ledger *ledger, struct config_errors *errors)
{
    if (ledger->endpoints.n == 0) {
        config_error(errors, ledger->place.line, "ledger", "endpoints names none");
    }
    if (ledger->relayer) {
        check_account(ledger->relayer, "ledger.relayer", errors);
    }
    if (ledger->anchoring) {
        check_account(ledger->anchoring, "ledger.anchoring", errors);
    }
}

static void check_together(const struct config *config, struct config_errors *errors)
{
    for (size_t i = 0; i < config->listeners.n; i++) {
        check_listener(config_listener(config, i), errors);
    }
    for (size_t i = 0; i < config->destinations.n; i++) {
        check_tls(config_destination(config, i)->tls, false, errors);
        config_check_destination(config_destination(config, i), errors);
    }
    for (size_t i = 0; i < config->routes.n; i++) {
        config_check_route(config, config_route(config, i), errors);
    }
    if (config->consent) {
        check_consent(config, errors);
    }
    if (config->break_glass) {
        check_break_glass(config, errors);
    }
    if (config->ledger) {
        check_ledger(config->ledger, errors);
    }
}

static int digest_file(struct config *config)
{
    FILE *file = fopen(config->file, "rbe");
    char *text = malloc(CONFIG_FILE_MAX);
    size_t n = file && text ? fread(text, 1, CONFIG_FILE_MAX, file) : 0;
    digest_sha256(str_of(text, n), config->digest);
    free(text);
    if (file) {
        (void)fclose(file);
    }
    return n ? 0 : -EINVAL;
}

static int load(struct config *config, const char *file, struct buf *report)
{
    char absolute[PATH_MAX];
    struct config_errors errors = { .out = report, .file = file };
    if (!realpath(file, absolute)) {
        config_error(&errors, 0, "", "can't be read; name a configuration file");
        return -EINVAL;
    }
    struct str kept = arena_str(config->arena, str_z(absolute));
    if (!kept.p) {
        return -ENOMEM;
    }
    config->file = kept.p;
    int r = config_read(config->arena, absolute, config_options, config, &errors);
    if (r < 0) {
        return r;
    }
    struct config_route *routes = config->routes.items;
    for (size_t i = 0; i < config->routes.n; i++) {
        routes[i].index = (int)i;
    }
    check_together(config, &errors);
    return errors.count ? -EINVAL : digest_file(config);
}

int config_load(const char *file, struct buf *report, struct config **out)
{
    struct config *config = calloc(1, sizeof(*config));
    if (!config) {
        return -ENOMEM;
    }
    config->arena = arena_new(16 << 10);
    int r = config->arena ? load(config, file, report) : -ENOMEM;
    if (r < 0) {
        config_free(config);
        return r;
    }
    *out = config;
    return 0;
}

void config_free(struct config *config)
{
    if (config) {
        arena_free(config->arena);
        free(config);
    }
}

void config_warnings(const struct config *config, struct buf *out)
{
    static const char *const names[] = { "enforce", "shadow", "observe" };
    for (size_t i = 0; i < config->routes.n; i++) {
        const struct config_route *route = config_route(config, i);
        if (route->mode != MODE_ENFORCE) {
            buf_fmt(out,
                    "%s:%d: route from %s runs in mode %s: consent does NOT hold data back\n",
                    config->file, route->place.line, route->from, names[route->mode]);
        }
    }
}

int config_database_url(const struct config *config, char *url, size_t size)
{
    FILE *file = fopen(config->database->url_file, "rbe");
    size_t n = file ? fread(url, 1, size - 1, file) : 0;
    if (file) {
        (void)fclose(file);
    }
    url[n] = '\0';
    url[strcspn(url, "\r\n")] = '\0';
    return *url ? 0 : -EINVAL;
}
