/*
 * Reading one provision of a FHIR Consent; used by normalise.c only.
 *
 * A reading notes every reason for refusal with its place and goes on, so that one filing tells
 * all of them.
 */
#pragma once

#include "fhir/consent/normalise.h"

enum {
    PROVISION_PLACE_MAX = 512,
};

/*
 * @place:   of the element being read, such as "Consent.provision.provision[0]"
 * @refused: an issue was added
 * @error:   -ENOMEM once memory ran out
 */
struct provision_reader {
    struct arena *arena;
    const struct consent_context *context;
    struct issues *issues;
    enum consent_reading reading;
    struct buf place;
    char text[PROVISION_PLACE_MAX];
    bool refused;
    int error;
};

void provision_reader_init(struct provision_reader *r, struct arena *arena,
                           const struct consent_context *context, struct issues *issues);

/* Refuse the element @leaf below the present place (empty: the place itself). */
void provision_refuse(struct provision_reader *r, const char *code, const char *leaf,
                      const char *why);

/* Go down to element @name, or to its @index where that isn't -1; returns what to go back to.
 */
size_t provision_enter(struct provision_reader *r, const char *name, int index);
void provision_leave(struct provision_reader *r, size_t mark);

/* One more text at the end of @texts; borrowed. */
void provision_add(struct provision_reader *r, struct policy_texts *texts, struct str text);

/* A Period as a span; false if @node is absent or was refused. */
bool provision_period(struct provision_reader *r, const struct node *node, const char *name,
                      struct instant_span *out);

/* The criteria of @node, without type and nested provisions. */
void provision_criteria(struct provision_reader *r, const struct node *node,
                        struct policy_criteria *when);

/**
 * provision_rules() - the provisions nested in @node as rules
 * @parent: effect they are exceptions to; FHIR R5 has no types, effects alternate
 * @depth:  provisions that enclose them, the root included
 *
 * Return: rules, *@n of them
 */
struct policy_rule *provision_rules(struct provision_reader *r, const struct node *node,
                                    enum policy_effect parent, int depth, size_t *n);
