/*
 * Fetching one small file over HTTPS (libcurl's multi interface on our loop). Role scout. Never blocks after
 * https_get_new. The server's certificate must have the name as a subjectAltName (RFC 8461 section 3.3); no
 * redirects, no proxy, no cookies, TLS 1.2 or later; addresses are the caller's, looked up and judged before
 * (guard.h).
 */
#ifndef POSTERN_SCOUT_HTTPS_GET_H
#define POSTERN_SCOUT_HTTPS_GET_H

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/base/loop.h"
#include "gateway/base/problem.h"

#define HTTPS_GET_MAX 64 /* requests under way; more are refused at once */

struct https_get;
/* Reads the file of CAs (PEM): call it before the sandbox. NULL with pr. */
struct https_get *https_get_new(struct loop *l, const char *ca_file, struct problem *pr);
/* Requests under way end without an answer. NULL is allowed. */
void https_get_free(struct https_get *h);

struct https_get_request {
	const char *host; /* A-labels */
	unsigned port;
	const char *path; /* begins with a slash */
	const struct sockaddr_storage *addrs;
	size_t naddrs;
	const char *type; /* media type that the answer must have */
	size_t max;	  /* octets of the answer */
	int64_t timeout;  /* ms, for all of it */
};
/* p: the n octets of an answer 200, valid during the call; NULL: why says what happened. */
typedef void https_get_done(void *ctx, const uint8_t *p, size_t n, const char *why);
/* done is called once, from the loop, never from inside. */
void https_get_start(struct https_get *h, const struct https_get_request *rq, https_get_done *done, void *ctx);

#endif
