/* One case while it is run: what its texts stand for, where its evidence goes, what was found. Owned by one thread.
 */
#ifndef INTEROP_SCENE_H
#define INTEROP_SCENE_H

#include "interop/kit/case_file.h"
#include "interop/kit/kit.h"
#include "interop/kit/world.h"

struct sink;
struct web;
struct second;
struct seen;

enum verdict { PASSED, FAILED, NOT_RUN };

/* One fact that a case looked at; the report shows all of them. */
struct finding {
	enum verdict verdict;
	int line;	/* of the case's file */
	char *sentence; /* what was wanted, and what was seen */
};

/* A message, or statement, that has a name in the case. */
struct named {
	char *name;
	struct buf octets;
	const struct stmt *from; /* the statement that made it, or NULL */
};

struct scene {
	const struct kit *kit;
	const struct case_file *c;
	struct world *world;
	struct sink *sink;
	struct web *web;
	struct second *second; /* the second judge; NULL: none on this machine */
	char nonce[17];
	time_t began;	/* {date}; 0: now */
	char *evidence; /* directory of this case */
	unsigned n_evidence;
	struct named *named;
	size_t n_named;
	struct finding *findings;
	size_t n_findings;
	struct buf transcript; /* SMTP and HTTP as it went, for the evidence */
	struct buf trusted;    /* header lines by which the gateway marked a message of this case as trusted, CRLF */
	bool unmarked;	       /* something counts as not trusted because it came without such a line */
	struct seen *seen;     /* messages that both judges have looked at (seen.h) */
};

/* A scene for one run of a case: a new nonce; evidence (may be NULL) is the directory, which is made. Not copied: all
 * but evidence. Free what it owns with scene_free (not the world, the sink and the second judge). */
void scene_begin(struct scene *s, const struct kit *k, const struct case_file *c, const char *evidence);
void scene_free(struct scene *s);

/* Replaces {...} (CASES.md). 0, or -1 with why for a name that is not known. Braces around anything but letters,
 * digits and "-" stay as they are. */
int scene_expand(struct scene *s, const char *text, struct buf *out, struct buf *why);
/* The same for octets of a file, where {...} that is not known stays as it is. */
void scene_expand_octets(struct scene *s, const void *p, size_t n, struct buf *out);
/* The same as scene_expand as a new text; NULL with why. */
char *scene_text(struct scene *s, const char *text, struct buf *why);
/* Adds a finding. The sentence may hold any octets: it becomes visible text (visible.h), cut after 8 KiB. */
void scene_found(struct scene *s, enum verdict verdict, int line, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* Writes octets as NN-NAME into the evidence. */
void scene_keep(struct scene *s, const char *name, const void *p, size_t n);
/* New, or the one that has this name, emptied. Valid until the next scene_name. */
struct buf *scene_name(struct scene *s, const char *name, const struct stmt *from);
struct buf *scene_named(struct scene *s, const char *name); /* NULL: none; valid as above */

#endif
