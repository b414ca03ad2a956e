/*
 * URLs of one server becoming those of another, by their place in the document, never by
 * looking for text: Reference.reference, Attachment.url, Bundle.link.url, entry.fullUrl,
 * entry.response.location and entry.request.url.
 */
#pragma once

#include "crypto/base/buf.h"
#include "crypto/base/str.h"
#include "fhir/model/node.h"

/* Base URLs without a slash at the end; nothing is rewritten if @from is empty. */
struct url_map {
    struct str from;
    struct str to;
};

/* Whether @url is @map->from or below it. */
bool url_map_covers(const struct url_map *map, struct str url);

/**
 * rewrite_urls() - copy a document with its URLs mapped
 * @map:    from which base to which
 * @root:   tree of the document: a resource, a Bundle, or an entry of one
 * @source: its bytes, of which the first is that at @root->start
 * @out:    the copy; every other byte is as it was
 */
void rewrite_urls(const struct url_map *map, const struct node *root, struct str source,
                  struct buf *out);
