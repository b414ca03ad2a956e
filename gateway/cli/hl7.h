/* What the commands about HL7 v2 messages have in common. */
#pragma once

#include "crypto/base/str.h"

/* @text without the MLLP frame around it, if there is one. */
struct str hl7_unframed(struct str text);

/* TLS of a connection, as options say: PEM files, or NULL. */
struct hl7_tls {
    bool on;
    const char *trusted;
    const char *certificate;
    const char *key;
};

/* Whether it is to be used: any of the options was given. */
bool hl7_tls_wanted(const struct hl7_tls *tls);
