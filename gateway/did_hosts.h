/*
 * Hosts of did:web documents that a worker asks: those that the configuration names, over
 * HTTPS, by addresses found once at start. No other host is ever asked, whatever a DID says;
 * redirects are not followed.
 */
#pragma once

#include "crypto/base/attr.h"
#include "gateway/identity/did_web.h"
#include "gateway/net/http_client.h"

struct config_login;
struct did_hosts;
struct worker;

/* NULL: no memory, or said why. */
MUST_USE struct did_hosts *did_hosts_new(struct worker *worker);
void did_hosts_free(struct did_hosts *hosts);

/* Fetch a document for a login of @login; NULL: its host isn't one of those named, or as of
 * http_fetch(). */
MUST_USE struct op *did_hosts_fetch(struct did_hosts *hosts, const struct config_login *login,
                                    const struct did_web_place *place, http_fetch_fn done,
                                    void *owner);
