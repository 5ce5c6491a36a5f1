/* HTTP servers that cannot be reached: they are left alone for a while, so that thousands of URLs at a dead host do
 * not each wait their whole time. Role scout. Pure. */
#ifndef POSTERN_SCOUT_HTTP_DEAD_H
#define POSTERN_SCOUT_HTTP_DEAD_H

#include "gateway/base/dead.h"

struct http_dead_place {
	const char *host;
	unsigned port;
	struct sockaddr_storage *addrs; /* whose ports are put in */
	size_t naddrs;
};
/* How a request ended without an octet. */
struct http_dead_silence {
	int64_t ran_ms;	 /* since it was begun */
	int64_t time_ms; /* that it might have had */
	bool given_up;	 /* before its time was over: nobody can be reached there, or too little came for too long */
	bool connected;
	const char *why;
};
/* Remembers it for ms, and logs it, when it cost time and says something of the server: not when the request had
 * little time left. */
void http_dead_note(struct dead *d, const struct http_dead_place *p, const struct http_dead_silence *s, int64_t ms);
/* Takes the addresses out that are known to be dead; none left: 0 with the words. Else how many are left. */
size_t http_dead_leave_out(const struct dead *d, struct http_dead_place *p, char *words, size_t cap);

#endif
