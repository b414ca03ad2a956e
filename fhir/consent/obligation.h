/*
 * Obligations: what a permit is given under, carried out on a resource before it is released.
 *
 * An element that is redacted is gone, with what stands beside it under "_name"; one that is
 * masked says so by a data-absent-reason. Narrative and contained resources, which may repeat
 * it, go as well, and meta.security says REDACTED. Everything else stays byte for byte.
 */
#pragma once

#include "crypto/base/attr.h"
#include "crypto/base/buf.h"
#include "fhir/base/arena.h"
#include "fhir/consent/tenant.h"
#include "fhir/model/node.h"

/**
 * consent_oblige() - carry out obligations on a resource
 * @arena:    scratch memory
 * @tenant:   whose obligations they are
 * @which:    bits of consent_tenant_obligations()
 * @resource: tree of the resource
 * @source:   bytes it was read from, of which the first is that at @resource->start
 * @out:      the resource as it may be released
 *
 * Return: 0 or -ENOMEM; on failure nothing of @out may be used.
 */
MUST_USE int consent_oblige(struct arena *arena, const struct consent_tenant *tenant,
                            uint32_t which, const struct node *resource, struct str source,
                            struct buf *out);
