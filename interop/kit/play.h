/* The steps of a case while they are done: what was sent, how it was answered, what is looked at when the case has
 * settled. */
#ifndef INTEROP_PLAY_H
#define INTEROP_PLAY_H

#include "interop/kit/expect.h"
#include "interop/kit/smtp_client.h"

#define RECIPIENTS_OF_STEP_MAX 2000

/* An outcome, a never or a "once", seen at its place and judged at the end of the case. */
struct later {
	const struct stmt *stmt;
	enum side side;
	char *to;
	int code;	   /* the answer to what was sent before it; 0: none was sent, or the connection was lost */
	unsigned after;	   /* only mail that came later */
	unsigned accepted; /* for once: the mail that is allowed to be there */
};

struct play {
	struct scene *s;
	struct buf sent;    /* what submit sent last */
	struct reply reply; /* to what was sent last */
	char **to;	    /* whom that was for, and what each was answered */
	int *codes;
	size_t n_to;
	unsigned began; /* number of the newest mail when the case began: always 0 in a run of its own */
	struct seen {
		enum side side;
		char *to;
		unsigned number;
	} * seen; /* the newest mail that an await took, by recipient */
	size_t n_seen;
	struct later *later;
	size_t n_later;
	bool stop; /* a step failed such that the others make no sense */
};

/* Is this text in the mail as it stands, or once transfer encodings and encoded words are off? */
bool play_has(const struct mail *m, const char *text);
/* Is this mail of the present run of the case? Inside: it has the nonce. Outside: no other run's Message-ID. */
bool play_fits(const struct mail *m, void *scene);
/* The number of the newest mail that an await took for this recipient. */
unsigned *play_seen(struct play *p, enum side side, const char *to);
/* "outside" or "inside"; -1 with a finding. */
int play_side(struct play *p, const struct stmt *st, enum side *side);
/* A list with commas, expanded, as addresses; NULL with a finding. Free with play_list_free. */
char **play_list(struct play *p, const struct stmt *st, const char *value, size_t *n);
void play_list_free(char **list, size_t n);
/* Does the code fit "250", "2xx", "4xx", "5xx", "refused", "any" (several with commas)? */
bool play_code_fits(int code, const char *wanted);
/* The same of a reply; where none came, and the connection was not closed either, nothing fits. */
bool play_reply_fits(const struct reply *r, const char *wanted);
/* What came in the place of a reply. */
const char *play_silence(const struct reply *r);
/* A finding about the reply, wanted by reply= (or without). */
void play_reply(struct play *p, const struct stmt *st, const char *without);
/* What this recipient of the last message was answered; the reply to all of it for others. */
int play_code(const struct play *p, const char *to);
void play_later(struct play *p, const struct stmt *st, enum side side, const char *to, unsigned accepted);

#endif
