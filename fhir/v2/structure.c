/* Finding the structure of a message, by name and version. */
#include "fhir/v2/structure.h"

/* Structure @name of the message's version, else of the nearest that has it. */
static bool find_root(struct v2_structure *out, struct str name)
{
    if (name.n == 0 || name.n >= sizeof(out->name)) {
        return false;
    }
    for (int distance = 0; distance < V2_VERSIONS; distance++) {
        const int near[] = { (int)out->version - distance, (int)out->version + distance };
        for (size_t i = 0; i < ARRAY_LEN(near) && !out->root; i++) {
            if (near[i] >= 0 && near[i] < V2_VERSIONS) {
                out->from = (enum v2_version)near[i];
                out->root = v2_structure_root(out->from, name);
            }
        }
        if (out->root) {
            memcpy(out->name, name.p, name.n);
            return true;
        }
    }
    return false;
}

static void find_version(struct str version, struct issues *issues, struct v2_structure *out)
{
    switch (v2_version_find(version, &out->version)) {
    case V2_VERSION_KNOWN: return;
    case V2_VERSION_LATER:
        issues_add(issues, ISSUE_INFORMATION, "informational", STR("MSH-12"),
                   "a later version than those known; read as %s",
                   v2_version_name(out->version));
        return;
    case V2_VERSION_UNKNOWN:
        issues_add(issues, ISSUE_WARNING, version.n ? "value" : "required", STR("MSH-12"),
                   "%s; read as %s", version.n ? "no version of HL7 v2" : "no version",
                   v2_version_name(out->version));
        return;
    }
}

void v2_structure_of(const struct v2_message *message, struct issues *issues,
                     struct v2_structure *out)
{
    struct v2_header header;
    char space[sizeof(out->name)];
    struct buf own = buf_fixed(space, sizeof(space));
    *out = (struct v2_structure){ .root = NULL };
    v2_header(message, &header);
    find_version(header.version, issues, out);

    buf_str_put(&own, str_slice(header.type, 0, 3));
    buf_c(&own, '_');
    buf_str_put(&own, str_slice(header.event, 0, 3));
    if (!find_root(out, header.structure) && !find_root(out, buf_str(&own)) &&
        !find_root(out, header.type)) {
        issues_add(issues, ISSUE_WARNING, "not-supported", STR("MSH-9"),
                   "no structure is known for messages of this type");
    } else if (out->from != out->version) {
        issues_add(issues, ISSUE_INFORMATION, "informational", STR("MSH-9"),
                   "version %s has no structure %s; that of %s is taken",
                   v2_version_name(out->version), out->name, v2_version_name(out->from));
    }
}
