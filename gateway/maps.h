/*
 * The maps in force: compiled once, before the workers are forked, and shared by them; nobody
 * writes to them afterwards.
 *
 * The shipped maps come first, over them the files of the listener, the sender and the route.
 * Senders and routes with the same files share one set of tables.
 */
#pragma once

#include "fhir/translate/map.h"
#include "gateway/config/config.h"

struct maps;

/**
 * maps_load() - compile all maps that a configuration names
 * @config: must live as long as @out
 * @report: mistakes are appended, one a line, with file and line
 * @out:    the maps, owned by the caller
 *
 * Return: 0, -EINVAL after a mistake, or -ENOMEM; @out is set only on 0.
 */
MUST_USE int maps_load(const struct config *config, struct buf *report, struct maps **out);

/* The same for @count files over the shipped maps; none of them is fine. */
MUST_USE int maps_load_files(const char *const *files, size_t count, struct buf *report,
                             struct maps **out);

void maps_free(struct maps *maps);

/* The tables of maps_load_files(). */
const struct rules *maps_rules(const struct maps *maps);

/* Those for messages of @sender on @route; without a route those that tell who sends, without a
 * sender those for what FHIR clients write. */
const struct rules *maps_of(const struct maps *maps, const struct config_sender *sender,
                            const struct config_route *route);
