/* Which message structure a message has. */
#pragma once

#include "fhir/v2/dictionary.h"
#include "fhir/v2/message.h"

/*
 * @version: of the message, as far as the dictionary goes
 * @name:    of the structure, "ORU_R01"; empty: none is known
 * @root:    NULL: none is known
 * @from:    the version that @root is of
 */
struct v2_structure {
    enum v2_version version;
    char name[8];
    const struct v2_node *root;
    enum v2_version from;
};

/**
 * v2_structure_of() - the structure of a message
 * @message: as parsed
 * @issues:  told of a version that isn't in the dictionary, and of a structure that isn't
 * @out:     what was found
 *
 * The structure is that of MSH-9.3, else that of type and event; of the version in MSH-12, else
 * of the nearest version that has it.
 *
 * Spec: HL7 v2.5.1 sections 2.15.9.9, 2.15.9.12
 */
void v2_structure_of(const struct v2_message *message, struct issues *issues,
                     struct v2_structure *out);
