/*
 * The tenant's policy in force: legal rules, how consents are combined, what holds without any.
 * Read once, before the workers are forked, and shared by them; nobody writes to it afterwards.
 */
#pragma once

#include "fhir/consent/tenant.h"
#include "gateway/config/config.h"

struct tenant;

/**
 * tenant_load() - read the policy that a configuration names, and check its signature
 * @report: mistakes are appended, one a line, with file and element
 * @out:    owned by the caller; NULL if the configuration names none
 *
 * Return: 0, -EINVAL after a mistake, or -ENOMEM; @out is set only on 0.
 */
MUST_USE int tenant_load(const struct config *config, struct buf *report, struct tenant **out);

/* The policy of the file @path, whoever signed it or nobody: to be tried, not to be in force.
 * As tenant_load(). */
MUST_USE int tenant_draft(const char *path, struct buf *report, struct tenant **out);
void tenant_free(struct tenant *tenant);

/* NULL if @tenant is: consents decide alone. */
const struct consent_tenant *tenant_policy(const struct tenant *tenant);
