/*
 * The labeller in force: the program's value sets and those that the configuration names. Read
 * once, before the workers are forked, and shared by them; nobody writes to it afterwards.
 */
#pragma once

#include "fhir/consent/labeller.h"
#include "gateway/config/config.h"

enum {
    LABELLING_FILE_MAX = 64 << 20, /* bytes of a value set */
};

struct labelling;

/**
 * labelling_load() - read the value sets of a configuration
 * @report: mistakes are appended, one a line, with file and element
 * @out:    owned by the caller; NULL if the configuration has no labeller
 *
 * Return: 0, -EINVAL after a mistake, or -ENOMEM; @out is set only on 0.
 */
MUST_USE int labelling_load(const struct config *config, struct buf *report,
                            struct labelling **out);
void labelling_free(struct labelling *labelling);

/* NULL if @labelling is: nothing is labelled then. */
const struct labeller *labelling_labeller(const struct labelling *labelling);
