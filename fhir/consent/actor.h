/*
 * What references stand for: one name for each actor and each resource.
 *
 * Filings, requests and facts must call the same actor by the same name, so all of them ask
 * here.
 */
#pragma once

#include "fhir/base/arena.h"
#include "fhir/model/reference.h"

#include <stdbool.h>
#include <stddef.h>

/**
 * consent_actor_fn() - give the canonical URI of an actor
 * @owner: of struct consent_context
 * @arena: memory for @uri
 * @actor: who is meant
 * @uri:   what the same actor is called in a request
 *
 * Return: true; false if the actor can't be known: a filing is refused, a fact unknown.
 */
typedef bool (*consent_actor_fn)(void *owner, struct arena *arena,
                                 const struct reference *actor, struct str *uri);

/*
 * @actor: resolves actors; NULL: consent_actor_plain() does
 * @owner: handed to @actor; borrowed
 * @bases: base URLs of the server whose resources are meant, without "/" at the end
 */
struct consent_context {
    consent_actor_fn actor;
    void *owner;
    const struct str *bases;
    size_t n_bases;
};

/*
 * Without a directory: an identifier names an actor everywhere ("system|value", or "value"
 * alone if it is a URI itself), a reference below a known base is "Type/id", any other URL or
 * URN is itself. False for what is no actor, and if there is no memory.
 */
bool consent_actor_plain(const struct consent_context *context, struct arena *arena,
                         const struct reference *actor, struct str *uri);

/* The canonical URI of @actor, by the context's function or else plainly. */
bool consent_actor_uri(const struct consent_context *context, struct arena *arena,
                       const struct reference *actor, struct str *uri);

/*
 * A reference to a resource as "Type/id" or "Type/id/_history/version"; false if it isn't one
 * below a known base, or if there is no memory.
 */
bool consent_data_text(const struct consent_context *context, struct arena *arena,
                       const struct reference *data, struct str *text);
