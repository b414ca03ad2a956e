/* A configuration with everything that it names: read, checked as a whole, in force together.
 */
#pragma once

#include "gateway/labelling.h"
#include "gateway/maps.h"
#include "gateway/tenant.h"
#include "gateway/validation.h"

/* All owned; nobody writes to it once it is loaded. */
struct setup {
    struct config *config;
    struct maps *maps;
    struct validation *validation;
    struct labelling *labelling;
    struct tenant *tenant; /* NULL: consents decide alone */
};

/**
 * setup_load() - read a configuration, its maps, packages, value sets and tenant's policy
 * @file:   of the configuration
 * @report: told every error, a line each; and warnings
 * @out:    end it with setup_free(); set only on 0
 *
 * Return: 0; -EINVAL with the reasons in @report; -ENOMEM
 */
MUST_USE int setup_load(const char *file, struct buf *report, struct setup *out);

void setup_free(struct setup *setup);
