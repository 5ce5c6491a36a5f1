/* What a gateway must do, in interop/requirements/<profile>: blocks with blank lines between them, "#" at the
 * beginning of a line for comments:
 *
 *   FIND-CERT-1  RFC 4398 2.1
 *   must: One sentence, what is required.
 *   failure: One sentence, what a failure means to a user.
 *
 * An indented line goes on with the sentence above it. */
#ifndef INTEROP_REQUIREMENTS_H
#define INTEROP_REQUIREMENTS_H

#include <jansson.h>

#include "interop/kit/case_file.h"

struct requirement {
	char *id, *reference, *must, *failure, *profile;
	int line;
};

struct requirement_list {
	struct requirement *all; /* by profile, in the order of the file */
	size_t n;
};

/* Adds those of one text (to 1 MiB, 2,000 blocks). 0, or -1 with a sentence for each line that is wrong. */
int requirements_parse(
    const char *profile, const char *text, size_t n, struct requirement_list *out, struct buf *why);
/* Reads all files of the directory; ids are there once over all of them. 0 or -1 with why. Free with
 * requirements_free, also after -1. */
int requirements_read(const char *dir, struct requirement_list *out, struct buf *why);
void requirements_free(struct requirement_list *l);
/* For `check`: every id that a case proves exists, and every requirement is proved by at least one case. cases are
 * all there are. 0, or -1 with a sentence for each. */
int requirements_check(const struct requirement_list *l, const struct case_list *cases, struct buf *why);
/* The member "requirements" of results.json: those that these cases prove. NULL with why when one does not exist (ask
 * before a run, not after it). Free with json_decref. */
json_t *requirements_json(const struct requirement_list *l, const struct case_list *cases, struct buf *why);
/* A readable document of a profile (docs/profiles/<profile>.md): what is required, why, and which case proves it. 0,
 * or -1 with why: there is no such profile. */
int profile_markdown(const struct requirement_list *l, const struct case_list *cases, const char *profile,
    struct buf *out, struct buf *why);

#endif
