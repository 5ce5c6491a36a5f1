/*
 * MIME structure (RFC 2045, 2046): where parts lie in the octets, never what they mean to a reader. Pure; streaming
 * over a reader with declared limits; total: any octets give facts or a problem (554 5.6.0).
 */
#ifndef POSTERN_MAIL_MIME_H
#define POSTERN_MAIL_MIME_H

#include <stdbool.h>
#include <stdint.h>

#include "gateway/base/arena.h"
#include "gateway/base/stream.h"
#include "gateway/mail/header.h"

struct mime_limits {
	size_t depth;  /* nested multiparts and message/rfc822, default 50: 25 times forwarded */
	size_t parts;  /* in all, default 1000 */
	size_t params; /* of one field, default 32 */
	struct header_limits header;
};
extern const struct mime_limits mime_limits_default;

struct mime_param {
	const char *name; /* lower case */
	const char *value;
};
struct mime_type {
	const char *type;    /* lower case, "text" when absent */
	const char *subtype; /* "plain" when absent */
	struct mime_param *params;
	size_t nparams;
};
/* Parses a Content-Type value (also used for Content-Disposition: type only, subtype ""). RFC 2231 continuations are
 * joined, comments skipped. */
int mime_type_parse(struct arena *a, const char *p, size_t n, const struct mime_limits *lim, struct mime_type *t_r,
    struct problem *pr) __attribute__((warn_unused_result));
const char *mime_param(const struct mime_type *t, const char *name); /* NULL when absent */
bool mime_is(const struct mime_type *t, const char *type, const char *subtype);

enum mime_cte { MIME_CTE_7BIT, MIME_CTE_8BIT, MIME_CTE_BINARY, MIME_CTE_QP, MIME_CTE_BASE64, MIME_CTE_OTHER };

/* One entity: header block and body in a reader. */
struct mime_entity {
	struct header header;
	struct mime_type type;
	enum mime_cte cte;
	const char *filename; /* from Content-Disposition filename or Content-Type name, NULL */
	bool set_apart;	      /* a Content-Disposition other than inline (RFC 2183 2.8: attachment) */
	uint64_t off;	      /* of the header block */
	uint64_t len;	      /* header and body */
	uint64_t body_off;
	uint64_t body_len;
};
int mime_entity_read(struct arena *a, struct reader *r, uint64_t off, uint64_t len, const struct mime_limits *lim,
    struct mime_entity *e_r, struct problem *pr) __attribute__((warn_unused_result));

/* The direct parts of a multipart: each from behind its delimiter line to before the CRLF of the next delimiter (RFC
 * 2046 5.1.1). Missing close-delimiter, no part, missing or over-long boundary: -1. */
struct mime_range {
	uint64_t off, len;
};
int mime_parts(struct arena *a, struct reader *r, const struct mime_entity *e, const struct mime_limits *lim,
    struct mime_range **parts_r, size_t *n_r, struct problem *pr) __attribute__((warn_unused_result));

/* The same of a multipart that every reader takes apart alike. -1 as well: a line that another reader may take for a
 * delimiter (RFC 2046 5.1.2), or a delimiter behind the last one. */
int mime_parts_sure(struct arena *a, struct reader *r, const struct mime_entity *e, const struct mime_limits *lim,
    struct mime_range **parts_r, size_t *n_r, struct problem *pr) __attribute__((warn_unused_result));

/* An S/MIME part below the top, of the first few. */
#define MIME_INSIDE_MAX 64
struct mime_inside {
	char path[24]; /* as IMAP counts (RFC 3501 6.4.5): "2", "1.2"; cut where it is nested deeper */
	bool attached; /* below a message/rfc822 */
	bool detached; /* multipart/signed; else application/pkcs7-mime */
	char kind[24]; /* smime-type, or "" */
	enum mime_cte cte;
	uint64_t body_off; /* where its body begins */
};

/* What one pass over a whole message tells (the tree is walked to lim->depth). */
struct mime_facts {
	bool eight_bit;	      /* an octet above 127 anywhere in the body or header */
	bool nul;	      /* an octet 0 */
	size_t longest_line;  /* octets without CRLF */
	bool calendar_method; /* a text/calendar part with a method parameter */
	bool invitation; /* calendar_method, and nothing beside it but the same said in text and as a calendar file */
	bool mere_text;	 /* text/plain and text/html alone, no files */
	bool tnef;	 /* application/ms-tnef */
	bool report;	 /* the message itself is a multipart/report (DSN, MDN) */
	bool bare;	 /* a CR or LF alone, in body or header */
	bool false_end;	 /* a line of NULs and a dot (dot.h) */
	bool smime_inside; /* any part below the top is application/pkcs7-mime (or .p7m) encrypted or opaque */
	struct mime_inside inside[MIME_INSIDE_MAX]; /* signed and opaque parts below the top */
	size_t ninside;
	bool more_inside;    /* than that */
	size_t depth, parts; /* depth 0: no container; parts: entities in all, the message included */
};
int mime_facts(struct arena *a, struct reader *r, uint64_t off, uint64_t len, const struct mime_limits *lim,
    struct mime_facts *f_r, struct problem *pr) __attribute__((warn_unused_result));

/* What an entity is to S/MIME (RFC 8551 3.2.2, 3.5): judged by type, parameters and file name. */
enum mime_smime {
	MIME_SMIME_NONE,  /* also smime-type=certs-only (RFC 8551 3.2.2): a bag of certificates protects nothing;
			     gateway/pipeline/layers.c and inside.c look whether it is one */
	MIME_SMIME_PKCS7, /* application/(x-)pkcs7-mime, or octet-stream named .p7m: enveloped, authEnveloped, signed,
			     compressed (look inside) */
	MIME_SMIME_DETACHED, /* multipart/signed with protocol application/(x-)pkcs7-signature and exactly that second
				part's type */
};
enum mime_smime mime_smime(const struct mime_entity *e);
/* The entity is an application/(x-)pkcs7-signature. */
bool mime_is_signature(const struct mime_entity *e);
/* Takes a MIME_SMIME_DETACHED entity apart: the octets that are signed (part headers included, without the CRLF
 * before the delimiter) and the signature part. -1: not exactly two parts, the second no signature, a line that
 * another reader may take for a delimiter (RFC 1847 2.1, RFC 2046 5.1.2). */
int mime_detached(struct arena *a, struct reader *r, const struct mime_entity *e, const struct mime_limits *lim,
    struct mime_range *content_r, struct mime_entity *signature_r, struct problem *pr)
    __attribute__((warn_unused_result));

#endif
