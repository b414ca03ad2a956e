/*
 * The definitions in force: R4's own and those of the packages that the configuration names.
 * Read once, before the workers are forked, and shared by them; nobody writes to them
 * afterwards.
 */
#pragma once

#include "fhir/base/issue.h"
#include "fhir/model/node.h"
#include "gateway/config/config.h"

enum {
    VALIDATION_BYTES_MAX = 1 << 20, /* of what is validated: nothing else runs meanwhile */
    VALIDATION_WORK_MAX = 2 << 20,  /* as struct validate_options: some 50 ms */
};

struct validation;

/**
 * validation_load() - read all packages that a configuration names
 * @config: must live as long as @out
 * @report: mistakes are appended, one a line
 * @out:    the definitions, owned by the caller; without R4's own if nothing here validates
 *
 * Return: 0, -EINVAL after a mistake, or -ENOMEM; @out is set only on 0.
 */
MUST_USE int validation_load(const struct config *config, struct buf *report,
                             struct validation **out);
void validation_free(struct validation *validation);

/*
 * @route:   whose profiles count, each for resources of its type
 * @profile: canonical URL of one that the resource must conform to besides; or empty
 * @now:     milliseconds since 1970
 */
struct validation_ask {
    const struct config_route *route;
    struct str profile;
    int64_t now;
};

/**
 * validation_look() - look at a resource and everything in it
 * @arena:    memory to work in
 * @resource: a document of at most VALIDATION_BYTES_MAX
 * @issues:   told each breach; issues_bad() if there is one
 *
 * Return: 0 or -ENOMEM
 */
MUST_USE int validation_look(const struct validation *validation, struct arena *arena,
                             const struct node *resource, const struct validation_ask *ask,
                             struct issues *issues);
