/*
 * libcurl's multi interface on our loop: what every HTTP client of the scout has in common. Role scout. Never blocks
 * after curl_loop_new.
 *
 * In the sandbox no file can be opened and no thread started: so names are never resolved by libcurl (every name it
 * sees has its addresses given), and the CAs are read once, before, and lent to each connection. A connection to any
 * other address than those given is refused when its socket is made: names that libcurl remembers from another
 * transfer cannot lead elsewhere.
 */
#ifndef POSTERN_SCOUT_CURL_LOOP_H
#define POSTERN_SCOUT_CURL_LOOP_H

#include <curl/curl.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>

#include "gateway/base/loop.h"
#include "gateway/base/problem.h"

#define CURL_LOOP_ADDRS_MAX 16
#define CURL_LOOP_HOST_CAP 256

struct curl_loop;
/* Reads the file of CAs (PEM): call it before the sandbox. NULL with pr. Without a file there are no CAs: https
 * always fails. */
struct curl_loop *curl_loop_new(struct loop *l, const char *ca_file, struct problem *pr);
/* After the end of every transfer. NULL is allowed. */
void curl_loop_free(struct curl_loop *c);

struct curl_loop_to {
	const char *url;  /* http or https, whose host and port are: */
	const char *host; /* A-labels or a numeric address, without brackets */
	unsigned port;
	const struct sockaddr_storage *addrs; /* 1..CURL_LOOP_ADDRS_MAX; their ports do not matter */
	size_t naddrs;
	bool san_only; /* https: the certificate must have the host as a subjectAltName, its CN does not count */
};
/* One transfer; zero before its first use. */
struct curl_loop_transfer {
	CURL *easy; /* between begin and end; for more options */
	char error[CURL_ERROR_SIZE];
	/* the rest is this module's */
	struct curl_loop *of;
	struct curl_slist *resolve;
	char san[CURL_LOOP_HOST_CAP]; /* a host that must be one of the certificate's subjectAltNames, or "" */
	struct in6_addr allowed[CURL_LOOP_ADDRS_MAX];
	size_t nallowed;
	void (*done)(void *ctx, CURLcode r);
	void *ctx;
};
/* Makes t->easy: the URL, HTTP/1.1, no redirects, no proxy, no cookies or credentials, TLS 1.2 or later with a
 * certificate that is valid for the name, no connection used twice. 0, or -1: libcurl cannot. */
int curl_loop_prepare(struct curl_loop *c, const struct curl_loop_to *to, struct curl_loop_transfer *t)
    __attribute__((warn_unused_result));
/* Starts it. done is called once, from the loop, and may end it. 0, or -1: libcurl refuses. */
int curl_loop_begin(struct curl_loop_transfer *t, void (*done)(void *ctx, CURLcode r), void *ctx)
    __attribute__((warn_unused_result));
/* Gives back what it has, under way or not; not from inside a callback of libcurl's. */
void curl_loop_end(struct curl_loop_transfer *t);
/* What libcurl says of a failure. */
const char *curl_loop_words(const struct curl_loop_transfer *t, CURLcode r);

#endif
