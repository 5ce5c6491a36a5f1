/*
 * What went wrong in the world, set once where it was found: class, SMTP code, enhanced code (RFC 3463), one exact
 * sentence, and the RFC section it rests on. Every process. No I/O.
 */
#ifndef POSTERN_BASE_PROBLEM_H
#define POSTERN_BASE_PROBLEM_H

enum problem_class {
	PROBLEM_NONE,
	PROBLEM_TEMP,	/* may go away: 4xx, retry */
	PROBLEM_PERM,	/* will not go away: 5xx, bounce or hold */
	PROBLEM_POLICY, /* we or the partner decided so: 5xx, or hold */
};

#define PROBLEM_TEXT_MAX 640

struct problem {
	enum problem_class cls;
	int code;		     /* SMTP reply code, 0 where none fits */
	char enh[12];		     /* "5.7.1" */
	char rfc[32];		     /* "RFC 5321 4.5.3.1.4" or "" */
	char text[PROBLEM_TEXT_MAX]; /* one sentence without a line end; never message content, secrets or raw control
					octets */
};

/* Sets all of it; p may be NULL. Control octets in the text become '?'. Returns -1, so that `return problem_set(...)`
 * reads well. */
int problem_set(struct problem *p, enum problem_class cls, int code, const char *enh, const char *rfc,
    const char *fmt, ...) __attribute__((format(printf, 6, 7)));
/* Shorthands: 451 4.3.0 and 550 5.7.1 and 554 5.6.0. Return -1. */
int problem_temp(struct problem *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int problem_policy(struct problem *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int problem_perm(struct problem *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void problem_clear(struct problem *p);
/* Puts words in front of the text already there ("config.c:3: " style); keeps the class and codes. Returns -1. */
int problem_prefix(struct problem *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The text as a clause of a longer sentence: without its full stop, and without the capital of its article. Returns
 * out. */
const char *problem_clause(const struct problem *p, char out[PROBLEM_TEXT_MAX]);

#endif
