/* Narratives: one XHTML div, kept as it was written. */
#pragma once

#include "fhir/format/xml_sax.h"

/*
 * A div under way.
 *
 * @prefix: of the div; all elements in it have the same
 * @depth:  elements that are open, the div too
 * @bare:   the div's namespace is declared outside of it, or nowhere
 */
struct xml_narrative {
    struct str prefix;
    struct str uri;
    size_t start;
    size_t end;
    size_t depth;
    bool bare;
};

/* The div begins. Return: NULL, or what is wrong, static text. */
const char *xml_narrative_begin(struct xml_narrative *narrative,
                                const struct xml_element *element);

/* An element in it begins. Return: NULL, or what is wrong, static text. */
const char *xml_narrative_enter(struct xml_narrative *narrative,
                                const struct xml_element *element);

/* An element ends; true if it was the div. */
bool xml_narrative_leave(struct xml_narrative *narrative, size_t after);

/**
 * xml_narrative_text() - the div on its own
 * @narrative: one that has ended
 * @arena:     memory
 * @text:      the document it is in
 * @out:       the div as it was written, with its namespace put in if it had none; may borrow
 *
 * Return: 0 or -ENOMEM; @out is set only on 0
 */
MUST_USE int xml_narrative_text(const struct xml_narrative *narrative, struct arena *arena,
                                struct str text, struct str *out);

/**
 * xml_narrative_check() - whether a text is a div and nothing else
 * @arena:  memory
 * @text:   a narrative as JSON has it; one without a namespace is taken as XHTML
 * @out:    the div, fit for any place in an XML document
 * @reason: what is wrong, static text
 *
 * Return: 0, XML_E_FORM or -ENOMEM; @out is set only on 0, @reason only on XML_E_FORM
 */
MUST_USE int xml_narrative_check(struct arena *arena, struct str text, struct str *out,
                                 const char **reason);
