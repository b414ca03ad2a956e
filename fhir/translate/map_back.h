/* Compiling the sections of the way back: rows, paths, messages and what groups are for. */
#pragma once

#include "fhir/translate/map_draft.h"

/* map_back.c: a row of the way back, "ADDRESS [if CONDITION] <- PATH : TYPE [TABLE]". */
bool map_back_row(struct map_compiler *c, struct map_words words, struct draft_row *row);

/* What stands on both sides of its arrow alone, which is all that names it. */
bool map_back_ends(struct map_compiler *c, struct map_words words, struct draft_row *row);

/* map_path.c: the path that @word is; told and NULL if it is none. */
const struct rule_path *map_read_path(struct map_compiler *c, struct str word);

/* map_tie.c: "message TYPE^EVENT from STRUCTURE [if CONDITION]" without the first word. */
void map_back_message(struct map_compiler *c, struct map_words words);

/* "RESOURCE [in PATH] [with PATH] [if CONDITION] [required]", for which @group is written. */
bool map_group_link(struct map_compiler *c, struct map_words words, struct draft_group *group);

/* "also RESOURCE [in PATH] [with PATH] [if CONDITION]" */
void map_also_line(struct map_compiler *c, struct map_words words);

/* The links of @group in its tables. */
void map_link_ties(struct map_compiler *c, struct draft_group *group);

/* All messages of the way back. */
void map_link_backs(struct map_compiler *c, struct rules *out);
