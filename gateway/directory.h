/*
 * A FHIR server's word on whom an actor belongs to, asked when it is needed and believed for
 * a while (consent.directory).
 *
 * What it can't say in time leaves an asker unknown, and that is asked again after a second.
 * The organizations of destinations are kept known: messages are decided without waiting.
 */
#pragma once

#include "fhir/consent/belonging.h"
#include "fhir/consent/compiled.h"
#include "gateway/op.h"

struct directory;
struct way_out;
struct worker;

/* NULL: no memory. Without consent.directory it is there, and says nothing. */
MUST_USE struct directory *directory_new(struct worker *worker);
void directory_free(struct directory *directory);

/* Ask for the organizations of destinations, now and again. */
void directory_start(struct directory *directory);

/*
 * Who is meant.
 *
 * @organization, @user: canonical names as of fhir/consent/actor.h; may be empty
 * @base: of the FHIR server whose resources consents call "Type/id", without "/" at the end
 */
struct directory_asker {
    struct str organization;
    struct str user;
    struct str base;
};

/* The organization that gets what goes to @to. */
struct directory_asker directory_destination(const struct way_out *to);

/* Whether there is anything to be asked about @asker. */
bool directory_asks(const struct directory *directory, const struct directory_asker *asker);

/*
 * What is known at this moment, without @asker's own names, in @arena. What isn't known is
 * ->unknown; so it is if there is no memory.
 */
void directory_known(const struct directory *directory, struct arena *arena,
                     const struct directory_asker *asker, struct belonging *out);

/* The word for the basis of a decision: "directory" where it is in doubt since it isn't known
 * who else the actor is. */
const char *directory_basis(const struct consent_request *request,
                            const struct consent_evidence *evidence);

/* Whether @basis is that: the same question may have another answer later. */
bool directory_silent(const char *basis);

typedef void (*directory_done_fn)(void *arg);

/**
 * directory_find() - ask, unless it is known
 * @asker: copied
 * @done:  called when directory_known() says what the directory does
 *
 * Return: the operation; NULL: nothing has to be waited for, or it couldn't be started
 */
MUST_USE struct op *directory_find(struct directory *directory,
                                   const struct directory_asker *asker, directory_done_fn done,
                                   void *arg);
