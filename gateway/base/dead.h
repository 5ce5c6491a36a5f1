/*
 * Which servers failed lately, and why: they are left alone for a while. Bounded: the oldest are forgotten. The
 * caller's lock. Scout. Pure.
 */
#ifndef POSTERN_BASE_DEAD_H
#define POSTERN_BASE_DEAD_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DEAD_MAX 256

struct dead {
	struct {
		char key[400];
		int64_t until, since; /* loop ms; unix s */
		char why[300];
	} all[DEAD_MAX];
	size_t next;
};
/* uri "": nobody takes connections at that address, whatever name leads there. Otherwise it fails for this URI, and
 * may well serve another: a stranger's name must not make a healthy server count as dead. */
void dead_mark(struct dead *d, const char *uri, const struct sockaddr_storage *addr, int64_t ms, const char *why);
/* The words for one that is marked, with uri or without. */
bool dead_is(const struct dead *d, const char *uri, const struct sockaddr_storage *addr, char *words, size_t cap);

#endif
