/*
 * The steps of one question: where was looked, what was answered, what spoke for or against each certificate. Role
 * judge; for `postern explain` and the log. Bounded; memory of its own; no I/O.
 */
#ifndef POSTERN_CERTSTORE_TRACE_H
#define POSTERN_CERTSTORE_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TRACE_STEPS_MAX 400

struct trace_step {
	char place[64];	  /* "dns CERT", "ldap", "http", "store", "path", "crl", "ocsp", "decision" ... */
	char query[600];  /* what was asked, as one could ask it again by hand */
	char answer[700]; /* one sentence */
	char dnssec[16];  /* "", "unsigned", "secure", "bogus" */
	char sha256[65];  /* of the certificate it is about, "" none */
	int64_t age_s;	  /* of a kept answer; 0: fresh */
	int64_t ttl_s;	  /* how long it is kept from now */
	unsigned took_ms; /* at the network */
	bool pending;	  /* no answer yet */
};
struct trace {
	struct trace_step *v;
	size_t n, cap;
	bool more; /* steps were left out */
};
/* Zeroed by the caller; trace_clear frees. trace_restart forgets the steps: a run that is made again writes them all
 * again. */
void trace_clear(struct trace *t);
void trace_restart(struct trace *t);
/* A step with place and query set, for the rest to be filled in; valid until the next one is added. NULL when t is
 * NULL or full. */
struct trace_step *trace_add(struct trace *t, const char *place, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#endif
