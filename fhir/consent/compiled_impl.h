/* The index from inside: compiled.c keeps it, decide.c looks through it. */
#pragma once

#include "fhir/consent/compiled.h"
#include "fhir/consent/merged.h"
#include "fhir/consent/pool.h"
#include "fhir/consent/slots.h"

enum {
    COMPILED_CHUNK = 1024, /* entries */
};

/*
 * @next:    of the same patient, or free
 * @sibling: of the same id
 * @policy:  SLOTS_NONE if it can't be processed
 */
struct entry {
    uint8_t patient[CONSENT_PATIENT_SIZE];
    uint8_t id[CONSENT_ID_SIZE];
    uint8_t commitment[CONSENT_HASH_SIZE];
    uint64_t block;
    uint32_t valid_from;
    uint32_t valid_until;
    uint32_t policy;
    uint32_t next;
    uint32_t sibling;
    uint16_t version;
    uint8_t standing;
    bool opened;
};

/* @at: COMPILED_CHUNK entries; owned */
struct chunk {
    struct entry *at;
};

/* @chunks: @n_chunks of @room; owned */
struct consent_index {
    struct slots_memory memory;
    const struct consent_tenant *tenant; /* borrowed; may be NULL */
    struct pool policies;
    struct merged merged;
    struct slots by_id;
    struct slots by_patient;
    struct chunk *chunks;
    size_t n_chunks;
    size_t room;
    size_t given; /* entries ever given out */
    size_t consents;
    uint32_t free_entry;
};

static inline struct entry *entry_at(const struct consent_index *index, uint32_t ref)
{
    return &index->chunks[ref / COMPILED_CHUNK].at[ref % COMPILED_CHUNK];
}
