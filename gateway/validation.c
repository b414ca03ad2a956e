/*
 * Reading packages, and knowing which profiles count on which route.
 *
 * Definitions cost some ten milliseconds and megabytes, so they are read only where something
 * is validated: on a FHIR listener, whose clients may ask for it, or on a route that says so.
 */
#include "gateway/validation.h"

#include "gateway/packages.h"

#include <errno.h>
#include <stdlib.h>

enum {
    ARENA_FIRST = 4 << 20,
};

/* @profiles: of each route, by its index; in the arena as is all else */
struct validation {
    struct arena *arena; /* owned */
    struct validator *validator;
    struct str **profiles;
};

void validation_free(struct validation *validation)
{
    if (validation) {
        arena_free(validation->arena);
        free(validation);
    }
}

static bool is_needed(const struct config *config)
{
    bool needed = config->packages.n > 0;
    for (size_t i = 0; i < config->listeners.n; i++) {
        needed |= config_listener(config, i)->protocol == PROTOCOL_FHIR;
    }
    for (size_t i = 0; i < config->routes.n; i++) {
        needed |= config_route(config, i)->validate != VALIDATE_OFF;
    }
    return needed;
}

/* --- packages ----------------------------------------------------------------------------- */

static int read_package(struct validation *validation, const char *folder, struct buf *report)
{
    struct issues issues;
    size_t count = 0;
    issues_init(&issues, validation->arena);
    int r = packages_load(validation->validator, validation->arena, folder, &issues, &count);
    if (r == -ENOMEM) {
        return r;
    }
    if (r < 0) {
        buf_fmt(report, "%s: can't be read: %s\n", folder, strerror(-r));
        return -EINVAL;
    }
    for (const struct issue *issue = issues.first; issue; issue = issue->next) {
        if (issue->severity >= ISSUE_ERROR) {
            buf_fmt(report, "%s/%.*s: %.*s\n", folder, (int)issue->place.n, issue->place.p,
                    (int)issue->text.n, issue->text.p);
        }
    }
    return issues_bad(&issues) ? -EINVAL : 0;
}

/* The profiles of @route, which must be here. */
static int take_profiles(struct validation *validation, const struct config *config,
                         const struct config_route *route, struct buf *report)
{
    struct str *urls = arena_calloc(validation->arena, route->profiles.n + 1, sizeof(*urls));
    if (!urls) {
        return -ENOMEM;
    }
    int r = 0;
    for (size_t i = 0; i < route->profiles.n; i++) {
        urls[i] = str_z(route->profiles.items[i]);
        if (validator_profile_type(validation->validator, urls[i]).n == 0) {
            buf_fmt(report, "%s:%d: routes: no package has the profile \"%s\"\n", config->file,
                    route->place.line, route->profiles.items[i]);
            r = -EINVAL;
        }
    }
    validation->profiles[route->index] = urls;
    return r;
}

static int read_all(struct validation *validation, const struct config *config,
                    struct buf *report)
{
    validation->arena = arena_new(ARENA_FIRST);
    if (!validation->arena) {
        return -ENOMEM;
    }
    validation->profiles =
        arena_calloc(validation->arena, config->routes.n + 1, sizeof(struct str *));
    int r = validator_new(validation->arena, &validation->validator);
    if (r < 0 || !validation->profiles) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < config->packages.n && r != -ENOMEM; i++) {
        int read = read_package(validation, config->packages.items[i], report);
        r = read < 0 ? read : r;
    }
    for (size_t i = 0; i < config->routes.n && r != -ENOMEM; i++) {
        int taken = take_profiles(validation, config, config_route(config, i), report);
        r = taken < 0 ? taken : r;
    }
    return r;
}

int validation_load(const struct config *config, struct buf *report, struct validation **out)
{
    struct validation *validation = calloc(1, sizeof(*validation));
    int r = !validation         ? -ENOMEM
            : is_needed(config) ? read_all(validation, config, report)
                                : 0;
    if (r < 0) {
        validation_free(validation);
        return r;
    }
    *out = validation;
    return 0;
}

/* --- looking ------------------------------------------------------------------------------ */

/* Whether the profile asked for can be compared with @resource; if not, that is an issue. */
static bool comparable(const struct validation *validation, const struct node *resource,
                       struct str profile, struct issues *issues)
{
    struct str type = node_text(resource, "resourceType");
    struct str about = validator_profile_type(validation->validator, profile);
    if (about.n == 0) {
        issues_add(issues, ISSUE_ERROR, "not-found", type,
                   "can't be compared with a profile that isn't here");
    } else if (!str_eq(about, type)) {
        issues_add(issues, ISSUE_ERROR, "structure", type,
                   "isn't of the type that the profile is about");
    }
    return str_eq(about, type) && about.n;
}

int validation_look(const struct validation *validation, struct arena *arena,
                    const struct node *resource, const struct validation_ask *ask,
                    struct issues *issues)
{
    size_t n = ask->route->profiles.n;
    struct str *profiles = arena_calloc(arena, n + 1, sizeof(*profiles));
    if (!profiles) {
        return -ENOMEM;
    }
    if (n) {
        memcpy(profiles, validation->profiles[ask->route->index], n * sizeof(*profiles));
    }
    if (ask->profile.n && comparable(validation, resource, ask->profile, issues)) {
        profiles[n++] = ask->profile;
    }
    const struct validate_options options = {
        .profiles = profiles,
        .profiles_n = n,
        .by_type = true,
        .work = VALIDATION_WORK_MAX,
        .now = ask->now,
    };
    return validate_resource(validation->validator, arena, resource, &options, issues);
}
