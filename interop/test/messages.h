/* What the tests of messages share: a case in memory, messages made of its text, and checks that are counted. */
#ifndef INTEROP_TEST_MESSAGES_H
#define INTEROP_TEST_MESSAGES_H

#include "interop/kit/scene.h"

/* Prints the sentence when it does not hold. */
void check(bool holds, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Prints how many held; the program's status. */
int checked(void);

struct bench {
	struct kit kit;
	struct case_file c;
	struct scene s;
	char *dir; /* a temporary one, with the certificates in it */
};

/* A scene of a case with these statements (further ones, after title and proves). */
void bench_open(struct bench *b, struct world *w, const char *statements);
void bench_close(struct bench *b);
/* Makes the message of layers (lines with "\n"); 0 or -1 with why. */
int bench_make(struct bench *b, const char *layers, struct buf *out, struct buf *why);
/* Makes it, or says that it cannot be made. */
void bench_message(struct bench *b, const char *layers, struct buf *out);
/* Runs a program in the bench's directory; its exit status; what it wrote is added to out. */
int bench_run(struct bench *b, struct buf *out, const char *const *argv);

#endif
