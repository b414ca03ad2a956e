/* A whole document: xml_sax into xml_tree. */
#include "fhir/format/xml.h"

#include "fhir/format/xml_tree.h"

enum {
    PLACE_MAX = 400,
};

static void tell(struct issues *issues, const struct xml_tree *tree,
                 const struct xml_fault *fault)
{
    char place[PLACE_MAX];
    struct buf b = buf_fixed(place, sizeof(place));
    buf_fmt(&b, "line %zu", fault->line);
    if (tree->open) {
        buf_z(&b, ", ");
        xml_tree_place(tree, &b);
    }
    issues_add(issues, ISSUE_FATAL, "structure", buf_str(&b), "%s",
               tree->reason ? tree->reason : fault->reason);
}

int xml_parse(struct arena *arena, const struct schema *schema, struct str text,
              struct issues *issues, const struct node **root)
{
    struct xml_tree tree = { .arena = arena, .schema = schema, .issues = issues, .text = text };
    const struct xml_sax_use use = {
        .start = xml_tree_start,
        .end = xml_tree_end,
        .text = xml_tree_text,
        .aside = xml_tree_aside,
        .owner = &tree,
    };
    struct xml_fault fault;
    int r = xml_sax(text, &use, &fault);
    if (r > 0) {
        tell(issues, &tree, &fault);
    }
    if (r) {
        return r;
    }
    *root = tree.root;
    return 0;
}
