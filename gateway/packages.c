/*
 * Reading packages, in the order of the files' names, so that of two definitions of one URL the
 * same one is taken everywhere.
 */
#include "gateway/packages.h"

#include "fhir/format/json.h"
#include "gateway/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Package files that are no resources. */
static bool is_definition(const char *name)
{
    struct str s = str_z(name);
    return str_ends(s, STR(".json")) && name[0] != '.' && !str_eq(s, STR("package.json"));
}

static int take_definition(const struct dirent *entry)
{
    return is_definition(entry->d_name);
}

/* Anything but -ENOMEM is the file's own trouble and an issue. */
static int load_file(struct validator *validator, struct arena *arena, int folder,
                     const char *name, struct issues *issues)
{
    struct str text = { 0 };
    const struct node *node = NULL;
    int r = file_read(arena, folder, name, PACKAGES_FILE_MAX, &text);
    if (r < 0) {
        if (r != -ENOMEM) {
            issues_add(issues, ISSUE_ERROR, "not-found", str_z(name), "%s", strerror(-r));
        }
        return r == -ENOMEM ? r : 0;
    }
    struct issues own;
    issues_init(&own, arena);
    r = json_parse(arena, text, &own, &node);
    r = r ? r : validator_add(validator, node, &own);
    for (const struct issue *i = own.first; i; i = i->next) {
        issues_add(issues, i->severity, i->code, str_z(name), "%.*s: %.*s", (int)i->place.n,
                   i->place.p, (int)i->text.n, i->text.p);
    }
    return r < 0 ? r : 0;
}

static int load_folder(struct validator *validator, struct arena *arena, const char *folder,
                       struct issues *issues, size_t *count)
{
    struct dirent **names = NULL;
    int n = scandir(folder, &names, take_definition, alphasort);
    if (n < 0) {
        return -errno;
    }
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int r = fd < 0 ? -errno : n > PACKAGES_FILES_MAX ? -EFBIG : 0;
    for (int i = 0; i < n; i++) {
        r = r ? r : load_file(validator, arena, fd, names[i]->d_name, issues);
        free(names[i]);
    }
    free(names);
    if (fd >= 0) {
        (void)close(fd);
    }
    *count += (size_t)n;
    return r;
}

int packages_load(struct validator *validator, struct arena *arena, const char *folder,
                  struct issues *issues, size_t *count)
{
    char inner[PATH_MAX];
    int n = snprintf(inner, sizeof(inner), "%s/package", folder);
    if (n < 0 || (size_t)n >= sizeof(inner)) {
        return -ENAMETOOLONG;
    }
    bool nested = access(inner, X_OK) == 0;
    return load_folder(validator, arena, nested ? inner : folder, issues, count);
}
