/* What is done with data: the actions of FHIR Consent, as bits. */
#pragma once

#include "crypto/base/str.h"

#include <stdint.h>

#define ACTION_SYSTEM "http://terminology.hl7.org/CodeSystem/consentaction"

enum action {
    ACTION_NONE = 0,
    ACTION_ACCESS = 1 << 0,
    ACTION_COLLECT = 1 << 1,
    ACTION_CORRECT = 1 << 2,
    ACTION_DISCLOSE = 1 << 3,
    ACTION_USE = 1 << 4,
};

enum {
    ACTION_COUNT = 5,
};

/* The action of that name; ACTION_NONE if there is none. */
enum action action_of(struct str code);

/* "access", "collect", "correct", "disclose" or "use": action 1 << @index, in byte order. */
const char *action_name(unsigned index);

/*
 * The action that a FHIR interaction amounts to: reads, searches and history are access, create
 * is collect, update, patch and delete are correct, operations are disclose. ACTION_NONE for a
 * name not known, which no permit covers.
 */
enum action action_of_interaction(struct str interaction);
