/* Packages of FHIR definitions: folders with a JSON file for each resource, as npm packages of
 * HL7's are when unpacked. */
#pragma once

#include "fhir/base/issue.h"
#include "fhir/validate/validate.h"

enum {
    PACKAGES_FILE_MAX = 64 << 20, /* bytes of one file */
    PACKAGES_FILES_MAX = 20000,   /* of one folder */
};

/**
 * packages_load() - take in what validation can use of a folder
 * @validator: where to
 * @arena:     memory; lives as long as @validator
 * @folder:    path; or that of the folder above, if the files are in its "package"
 * @issues:    told each file that can't be read, by its name
 * @count:     resources taken in or left aside
 *
 * Return: 0, -errno if the folder can't be read, or -ENOMEM; files that are wrong are issues
 */
MUST_USE int packages_load(struct validator *validator, struct arena *arena, const char *folder,
                           struct issues *issues, size_t *count);
