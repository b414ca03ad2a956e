/*
 * Whom a message is about: the identifiers in PID-3 and MRG-1, with the systems that the
 * operator has written down for the sender's assigning authorities.
 *
 * A system never comes from the message itself: two senders may both call their patients'
 * numbers "MRN", and one may write another's OID.
 */
#pragma once

#include "fhir/v2/message.h"

/*
 * @authority: namespace (CX-4.1) or universal id (CX-4.2) as the sender writes it; empty: what
 *             has no assigning authority at all
 * @system:    identifier system, a URI
 */
struct v2_assigner {
    struct str authority;
    struct str system;
};

struct v2_assigners {
    const struct v2_assigner *list; /* borrowed */
    size_t count;
};

struct v2_patient_id {
    struct str system; /* borrowed from the assigners */
    struct str value;  /* unescaped UTF-8 */
    struct str type;   /* CX-5, "MR"; may be empty */
};

enum {
    V2_PATIENT_NOT_MERGED = -1,
    V2_PATIENTS_MAX = 1000,
    V2_PATIENT_IDS_MAX = 64, /* of one patient */
};

/*
 * @ids:      the usable ones, each once; @count may be 0
 * @unusable: identifiers whose assigner is not known
 * @segment:  index of the PID or MRG
 * @survivor: index of the patient this one was merged into, or V2_PATIENT_NOT_MERGED: also for
 *            an MRG whose event moves a visit or an account from one patient to another
 */
struct v2_patient {
    struct v2_patient_id *ids;
    size_t count;
    size_t unusable;
    size_t segment;
    int survivor;
};

struct v2_patients {
    struct v2_patient *list;
    size_t count;
};

/**
 * v2_patients() - the patients of a message
 * @arena:     memory for the lists
 * @message:   in UTF-8
 * @assigners: of its sender
 * @issues:    told each identifier that can't be used, by its place
 * @out:       one for each PID and each MRG that names one, in their order; PIDs with the same
 *             identifiers are not joined
 *
 * Where PID-3 is empty, PID-2 is taken (v2.1 and v2.2).
 *
 * Return: 0, -E2BIG beyond V2_PATIENTS_MAX, or -ENOMEM; @out is set only on 0.
 */
MUST_USE int v2_patients(struct arena *arena, const struct v2_message *message,
                         const struct v2_assigners *assigners, struct issues *issues,
                         struct v2_patients *out);

/* The system for an assigning authority @hd (an HD, as received), or the empty span. */
struct str v2_assigner_system(const struct v2_assigners *assigners,
                              const struct v2_delims *delims, struct str hd);
