/* What the commands that read HL7 v2 messages have in common. */
#pragma once

#include "crypto/base/str.h"

/* @text without the MLLP frame around it, if there is one. */
struct str hl7_unframed(struct str text);
