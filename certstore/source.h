/*
 * What a place to look is: a question for the network and its answer. The judge asks, the scout answers with octets
 * and how they were got; what they mean is the judge's business. Roles judge (asks) and scout (answers). Three kinds:
 * records of one name and type in DNS, values of an attribute in a directory (LDAP), what a URL has (HTTP).
 *
 * A judge's question is worked out over what is known (source_run): whatever is missing is asked for, the run ends
 * unfinished, and is made again from its start when an answer has come. So what looks for certificates, paths and
 * revocation is written as if nothing ever took time, and is repeatable in tests. A question made again must have the
 * same octets, or its answer is never met: a nonce is derived from what is asked and the hour, not drawn.
 */
#ifndef POSTERN_CERTSTORE_SOURCE_H
#define POSTERN_CERTSTORE_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/base/arena.h"
#include "gateway/base/ipc.h"

#define SOURCE_NAME_MAX 2000	      /* octets of a DNS name or URL */
#define SOURCE_ITEMS_MAX 64	      /* items of one answer; more: `more` */
#define SOURCE_BODY_MAX 4096	      /* octets sent with a question (OCSP request) */
#define SOURCE_OCTETS_MAX (16u << 20) /* highest `max` of a question (a large CRL) */

/* Packet types between judge and scout. */
enum { SOURCE_PROTO_ASK = 0x0501, SOURCE_PROTO_ANSWER = 0x0502 };

enum source_kind { SOURCE_DNS = 1, SOURCE_LDAP, SOURCE_HTTP };
/* Who named the place: what a stranger named is fetched from public addresses alone (guard.h). */
enum source_chosen { SOURCE_BY_ADMIN = 1, SOURCE_BY_STRANGER };
struct source_ask {
	enum source_kind kind;
	enum source_chosen chosen;
	/* DNS: the owner, A-labels, any octets but NUL and dot in labels, no dot at the end. LDAP: "ldap://HOST:PORT"
	 * or "ldaps://HOST:PORT" of a server found in DNS; "" when directory is set. HTTP: an http or https URL. */
	char name[SOURCE_NAME_MAX + 1];
	uint16_t type;	     /* DNS: TYPE */
	char mail[400];	     /* LDAP: address or domain to find; escaped by the asked side */
	char directory[128]; /* LDAP: a configured directory by its title, with its own servers, base, filter, bind;
			      * "": anonymous, below every namingContexts, (mail=...) */
	uint8_t body[SOURCE_BODY_MAX]; /* HTTP: POST this; none: GET */
	size_t nbody;
	char type_sent[64], type_wanted[128]; /* HTTP: of the body; Accept. "" none */
	uint32_t max;			      /* octets of all items together, 1..SOURCE_OCTETS_MAX */
	uint32_t timeout_ms;
	int64_t since; /* unix s: an answer that was got before does not count; 0: any. Not sent, and no part of what
			  makes two questions the same */
};

enum source_status {
	SOURCE_FOUND,
	SOURCE_NONE, /* sure: no such name, no such record, no such entry, 404 or 410 */
	SOURCE_TEMP, /* anything else: not now, or not to be believed; why says which */
};
enum source_dnssec {
	SOURCE_UNSIGNED,      /* the zone is surely not signed, or the question was none for DNS */
	SOURCE_SECURE,	      /* validated */
	SOURCE_BOGUS,	      /* TEMP: validation failed: an alarm */
	SOURCE_SIGNED_SILENT, /* TEMP: no answer, though the zone is known to be signed */
	SOURCE_UNKNOWN, /* TEMP: nobody was asked, or nobody can tell whether the zone is signed: counts as it */
};
struct source_item {
	const uint8_t *p;
	size_t n;
	char attribute[64]; /* LDAP: in which it stood, with its options, lower case */
};
struct source_answer {
	enum source_status status;
	enum source_dnssec dnssec;
	uint32_t ttl;	  /* s that it may be kept; bounded by the book's settings */
	uint32_t took_ms; /* at the network */
	uint32_t said;	  /* ttl as its source said it, 0 nothing; set by the book */
	int64_t at;	  /* unix s: when it came; set by the book */
	uint16_t code;	  /* RCODE, HTTP status, LDAP result code */
	char where[300];  /* who answered: server, or the URL behind redirects */
	char media[128];  /* HTTP: Content-Type without parameters, lower case */
	char why[300];	  /* NONE and TEMP: what was seen, for people */
	bool more;	  /* there were more items, or octets, than fit: items are the first ones */
	size_t n;
	/* DNS: RDATA of each record (aliases followed; names in it uncompressed; SRV and TXT as on the wire). LDAP:
	 * one value each. HTTP: the body, exactly one. */
	struct source_item items[SOURCE_ITEMS_MAX];
};

/* 0, or -1 with the reason: a field that its kind needs is missing or out of range. Fields that belong to another
 * kind are not looked at, and not sent. */
int source_ask_check(const struct source_ask *a, char *why, size_t cap) __attribute__((warn_unused_result));
/* The question in a line, as one could ask it again by hand: "lab.example CERT", "GET http://..." */
void source_ask_words(const struct source_ask *a, char *out, size_t cap);

/* Begins o and puts the fields; an answer whose octets do not fit a packet goes as a sealed memfd beside. 0, or -1
 * errno (no memfd). *fd_r: to be closed after sending, -1 none. */
void source_ask_put(struct ipc_out *o, uint32_t id, const struct source_ask *a);
int source_answer_put(struct ipc_out *o, uint32_t id, const struct source_answer *r, int *fd_r)
    __attribute__((warn_unused_result));
/* 0, or -1: wrong type, a field out of range, something missing or left over. An answer's octets are in the arena,
 * which has room for SOURCE_OCTETS_MAX and a little; a descriptor's size and seals are looked at before it is read.
 */
int source_ask_get(struct ipc_in *in, struct source_ask *a_r) __attribute__((warn_unused_result));
int source_answer_get(struct ipc_in *in, struct arena *a, struct source_answer *r_r)
    __attribute__((warn_unused_result));
/* Fills r as an answer without items. */
void source_answer_set(struct source_answer *r, enum source_status s, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* ---- one run over what is known ---- */

struct trace; /* trace.h */
struct source_run {
	/* The answer, valid until the run's end; NULL: it was asked for, and comes later. */
	const struct source_answer *(*get)(struct source_run *r, const struct source_ask *a);
	void *ctx;
	unsigned pending;    /* answers that were not there: not 0: the run's result is no result yet. Who can do
			      * without the last ones puts the number back to what it was before it asked for them */
	unsigned asked, max; /* questions so far, and how many one run may have: behind that, TEMP */
	bool waited;	     /* it was made before, and an answer of the network was waited for */
	bool over;	     /* the question's time is up: what is not there counts as TEMP "no answer in time" */
	int64_t now;	     /* unix s */
	int64_t began;	     /* unix s: when the question came, the same in each run of it */
	struct trace *trace; /* NULL: nobody wants to see it */
};
/* Asks by r->get, counts, and writes the step down. NULL: pending. r NULL (nobody may ask), r->over, too many asked,
 * or a question that source_ask_check refuses: an answer TEMP. Valid until the run's end; runs do not overlap. */
const struct source_answer *source_get(struct source_run *r, const char *place, const struct source_ask *a);

#endif
