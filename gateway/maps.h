/*
 * The maps in force: compiled once, before the workers are forked, and shared by them; nobody
 * writes to them afterwards.
 */
#pragma once

#include "crypto/base/attr.h"
#include "crypto/base/buf.h"
#include "fhir/translate/map.h"

struct maps;

/**
 * maps_load() - compile the maps
 * @report: mistakes are appended, one a line, with file and line
 * @out:    the maps, owned by the caller
 *
 * Return: 0, -EINVAL after a mistake, or -ENOMEM; @out is set only on 0.
 */
MUST_USE int maps_load(struct buf *report, struct maps **out);

void maps_free(struct maps *maps);

/* What translates; it lives as long as @maps. */
const struct rules *maps_rules(const struct maps *maps);
