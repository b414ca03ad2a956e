/*
 * Receiving HL7 v2 messages.
 *
 *   receive → authenticate → translate → consent → seal → record → respond
 *
 * "translate" goes only as far as to know whom the message is about; it is translated whole
 * when it is delivered. The acknowledgement follows the commit: after AA the message is never
 * lost.
 */
#pragma once

#include "gateway/way_in.h"

/* Take a message; it is answered in time. @bytes are copied. */
void v2_receive(struct way_in *way, struct mllp_msg *msg, struct str bytes);
