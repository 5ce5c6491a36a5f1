/* What both judges saw in a message; each is asked once a message. */
#ifndef INTEROP_SEEN_H
#define INTEROP_SEEN_H

#include <jansson.h>

#include "interop/kit/judge.h"
#include "interop/kit/scene.h"
#include "interop/kit/sink.h"

struct seen {
	struct seen *next;
	const struct mail *mail;
	const struct credential
	    *keys[JUDGE_KEYS_MAX]; /* of the case's certificates, and the gateway's without keys */
	size_t n_keys;
	struct judged first;
	json_t *second; /* NULL: it did not judge */
	char *cannot;	/* why not */
	char *disagree; /* both facts, when the judges do not see the same; NULL: they do */
	bool told;	/* expect_kind has added its finding */
};

/* Judges a message that came, or says again what was seen of it. Lives as long as the scene. */
struct seen *seen_message(struct scene *s, const struct mail *m);
/* What the second judge says of what the first has found good: PASSED (it sees the same), FAILED, or NOT_RUN; the
 * reason is added to why. */
enum verdict seen_second(const struct seen *n, struct buf *why);
/* Members of a layer, or of its signers, that the second judge must tell of what the first has found good (with
 * commas); the first one that it does not tell of a layer or a signer that has it, NULL: all. */
const char *seen_untold(const struct seen *n, const char *members);
/* The index of this certificate among keys; -1: not there. */
int seen_key(const struct seen *n, const struct credential *c);
/* Forgets all (scene_free does it). */
void seen_free(struct scene *s);

#endif
