/*
 * Partners' statements (XSMG): the one that is trusted and by what, the one that waits, the keys that signed, the
 * certificates it gives, what was heard of the partner. Part of store.h, which says who calls, what blocks and who
 * frees. What may replace what is xsmg_trust.c's; here it is only kept, each change of trust with its audit row.
 */
#ifndef POSTERN_CERTSTORE_STORE_STATEMENT_H
#define POSTERN_CERTSTORE_STORE_STATEMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/base/problem.h"

struct store;

#define STORE_STATEMENT_ID 44	/* text of an id and its NUL */
#define STORE_STATEMENT_HASH 65 /* hex digits of a SHA-256 and their NUL */

/* One statement as it came, and what of it is looked at often. */
struct store_statement_body {
	uint8_t *der; /* NULL: none */
	size_t der_len;
	uint8_t *content; /* the JSON inside */
	size_t content_len;
	char id[STORE_STATEMENT_ID];
	int64_t
	    serial; /* ms; trusted without .der: the least that a newer one must be above, kept when trust was lost */
	int64_t issued, expires;
	bool withdrawn;
	char key[STORE_STATEMENT_HASH];	 /* SHA-256 of the SPKI of its statement key */
	char cert[STORE_STATEMENT_HASH]; /* of its statement certificate */
	int level;			 /* enum xsmg_level: trusted by; of a candidate: what speaks for it */
	char *how;			 /* the way it came: "smtp get", "url https://..." */
	char *why;			 /* trusted: the rule; candidate: what spoke for and against it */
	int64_t since;			 /* unix s: trusted, or waiting, since */
};
struct store_statement {
	char *domain; /* A-labels, lower case */
	struct store_statement_body trusted, waiting;
	char through[STORE_STATEMENT_HASH]; /* continuity alone speaks for the trusted one's key: the key it began
					       at; "" something else speaks for it */
	int established;		    /* level that a replacement must reach; 0: never trusted */
	char pin[STORE_STATEMENT_HASH];	    /* the statement key or certificate that the admin pinned, "" none */
	bool follow;			    /* the pin allows continuity */
	int64_t frozen;			    /* unix s, 0 not */
	char *frozen_why;
	int64_t fetched, probed;		/* unix s: last got by ourselves; last looked for by _smg */
	char *url;				/* where the newest is found, "" not known */
	int64_t offered_since, offered, missed; /* keyword seen since, last; a session without it since then */
	char *local_parts;			/* further ones the admin allows in its certificates, "" */
	int64_t decided;			/* unix s: the admin's last decision; 0 none */
	char *decision;				/* in words, with channel and reason */
	int64_t alarmed;			/* unix s of the last alarm */
	int64_t weighed;			/* what it rests on was last looked at again; 0 never */
	/* of the row, as it was read */
	int64_t version; /* 0: it was not there */
	struct store_statement_heard {
		int64_t fetched, probed, offered_since, offered, missed, alarmed, weighed;
	} heard;
	bool stale; /* save failed because somebody else changed the row since: read it again */
};
/* A certificate that the trusted statement gives. */
struct store_statement_cert {
	uint8_t *der;
	size_t der_len;
	char sha256[STORE_STATEMENT_HASH];
	int use; /* enum statement_use */
	int64_t from, until;
};

/* 0 and *st_r NULL when nothing is known of the domain. */
int store_statement_get(struct store *s, const char *domain, struct store_statement **st_r, struct problem *pr)
    __attribute__((warn_unused_result));
/* By domain, the first max behind `after`; pending: those alone with one that waits, or frozen, or whose trusted one
 * is not trusted any more and no other is. */
int store_statements(struct store *s, const char *after, bool pending, size_t max, struct store_statement **list_r,
    size_t *n_r, struct problem *pr) __attribute__((warn_unused_result));
void store_statements_free(struct store_statement *l, size_t n);
/* An empty one, to be filled and saved. Never NULL; store_statements_free(st, 1). */
struct store_statement *store_statement_new(const char *domain);
void store_statement_body_clear(struct store_statement_body *b);
/* A deep copy of *from; *to is cleared before. */
void store_statement_body_copy(struct store_statement_body *to, const struct store_statement_body *from);
/* Writes all of it, unless another one who uses the store (another node, an admin) has decided about this domain
 * since *st was read: then -1, st->stale, and nothing is changed. Of what was only heard, what differs from what was
 * read is written. what: the audit row's word ("statement.trust" ...), NULL for what changes nobody's trust. */
int store_statement_save(struct store *s, struct store_statement *st, const char *who, const char *what,
    const char *detail, struct problem *pr) __attribute__((warn_unused_result));
/* What was heard alone (the times in .heard), of that what differs from what was read: the statements stay as they
 * are, whatever happened to them meanwhile. A row that was removed since stays removed. */
int store_statement_note(struct store *s, struct store_statement *st, struct problem *pr)
    __attribute__((warn_unused_result));
/* Forgets the domain's statements and keys; 0 also when there were none. */
int store_statement_remove(struct store *s, const char *domain, const char *who, struct problem *pr)
    __attribute__((warn_unused_result));
/* How many domains have a row. */
int store_statement_count(struct store *s, int64_t *n_r, struct problem *pr) __attribute__((warn_unused_result));

int store_statement_certs(struct store *s, const char *domain, struct store_statement_cert **list_r, size_t *n_r,
    struct problem *pr) __attribute__((warn_unused_result));
void store_statement_certs_free(struct store_statement_cert *l, size_t n);
/* Those and no others. Goes with a save. */
int store_statement_certs_put(struct store *s, const char *domain, const struct store_statement_cert *l, size_t n,
    struct problem *pr) __attribute__((warn_unused_result));

/* Which statement of `ours` the partner is known to hold; "" none. */
int store_statement_held(struct store *s, const char *domain, const char *ours, char id_r[STORE_STATEMENT_ID],
    struct problem *pr) __attribute__((warn_unused_result));
/* now 0: it was handed over to a host that proved nothing, so it counts as held by nobody for a rollover. */
int store_statement_held_put(struct store *s, const char *domain, const char *ours, const char *id, int64_t now,
    struct problem *pr) __attribute__((warn_unused_result));
/* A partner that was handed a statement of `ours`, and which one last. For a rollover. */
struct store_statement_held {
	char domain[256];
	char id[STORE_STATEMENT_ID];
	int64_t at;
};
/* free(list). */
int store_statement_held_list(struct store *s, const char *ours, struct store_statement_held **list_r, size_t *n_r,
    struct problem *pr) __attribute__((warn_unused_result));

#endif
