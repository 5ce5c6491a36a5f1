/* A case as it stands in its file (interop/CASES.md, "Lines"): statements with their words, attributes and the
 * statements indented below them. What they mean is not known here. */
#ifndef INTEROP_CASE_FILE_H
#define INTEROP_CASE_FILE_H

#include "interop/kit/util.h"

struct attribute {
	char *name, *value;
};

struct stmt {
	char *verb;
	char **words; /* behind the verb */
	size_t n_words;
	struct attribute *attributes;
	size_t n_attributes;
	struct stmt *below;
	size_t n_below;
	char *text; /* the lines with "|", joined with CRLF and with one at the end; NULL: none */
	int line;
};

struct case_file {
	char *id, *profile, *dir, *title;
	char **proves, **needs;
	size_t n_proves, n_needs;
	struct stmt *stmts; /* without title, proves, needs */
	size_t n_stmts;
};

struct case_list {
	struct case_file *cases; /* sorted by profile and id */
	size_t n;
};

/* Reads one text of at most 256 KiB; statements of one level of indentation. 0, or -1 with line and sentence in why.
 * Free with case_file_free also then. */
int case_file_parse(const char *text, size_t n, struct case_file *out, struct buf *why);
void case_file_free(struct case_file *c);
/* All of interop/cases below dir; profile and id filter (lists with commas; NULL: all). -1: why says of each bad file
 * what is wrong, and what of the lists is not there. */
int case_list_read(const char *dir, const char *profile, const char *id, struct case_list *out, struct buf *why);
void case_list_free(struct case_list *l);

/* The value of an attribute; otherwise what stands in without. */
const char *stmt_attribute(const struct stmt *s, const char *name, const char *without);
const char *stmt_word(const struct stmt *s, size_t i, const char *without);

#endif
