/* A reader of mail (RFC 5322, RFC 2045 to 2047, RFC 1847) as the judge needs it. Whatever the octets are, it gives an
 * answer; header fields to 10000 and 1 MiB, parts to 1000, levels to 16. Bodies are not copied. */
#ifndef INTEROP_MIME_H
#define INTEROP_MIME_H

#include "interop/kit/util.h"

struct mime_field {
	const char *at; /* as it stands, with its line ends */
	size_t n;
	char *name, *value; /* the value unfolded, without blanks around it; encoded words as they stand */
};

/* One entity: points into the octets that were read. */
struct mime {
	const char *all, *body;
	size_t all_n, body_n;
	struct mime_field *fields;
	size_t n;
	char *type; /* in small letters, without parameters; "" without Content-Type */
};

struct mime_range {
	const char *p;
	size_t n;
};

/* Octets without a header are an entity with a body alone. Free with mime_free. */
void mime_read(const char *p, size_t n, struct mime *out);
void mime_free(struct mime *m);
/* Value of the first such field; NULL: none. */
const char *mime_value(const struct mime *m, const char *name);
size_t mime_count(const struct mime *m, const char *name);
/* A parameter of a structured value (Content-Type, Content-Disposition), without quotes, continuations of RFC 2231
 * are not read. NULL: none. Free it. twice (may be NULL): it is there more than once. */
char *mime_parameter(const char *value, const char *name, bool *twice);
/* The value of Content-Type's parameter; NULL as above. */
char *mime_type_parameter(const struct mime *m, const char *name);
/* RFC 8551 3.2, 3.10: application/pkcs7-mime, or application/octet-stream that is called .p7m. */
bool mime_is_cms(const struct mime *m);
/* RFC 8551 3.5.3: multipart/signed whose protocol is S/MIME. */
bool mime_is_signed(const struct mime *m);
/* The body without its transfer encoding. 0, or -1 with why. */
int mime_decode(const struct mime *m, struct buf *out, struct buf *why);
/* The parts of a multipart, at most max of them: how many there are; -1 with why: no boundary, or no last one. */
int mime_parts(const struct mime *m, struct mime_range *out, size_t max, struct buf *why);
/* Encoded words (RFC 2047) as UTF-8; words that are none stay. */
void mime_words(const char *value, struct buf *out);
/* Everything a reader sees: each header as it stands and decoded, and the decoded bodies of all parts, also of
 * messages within. False: a multipart in it cannot be taken apart (no boundary, no last one, too many parts or
 * levels); it stands there as it is, and others may see more. */
bool mime_flatten(const char *p, size_t n, struct buf *out);
/* Calls leaf for each part that is neither multipart nor message, decoded (as it stands when it cannot be). */
void mime_leaves(
    const char *p, size_t n, void (*leaf)(const struct mime *m, const struct buf *body, void *arg), void *arg);
/* The same; node is called for every entity, also for those that have others in them, before what is inside. */
void mime_walk(const char *p, size_t n, void (*node)(const struct mime *m, void *arg),
    void (*leaf)(const struct mime *m, const struct buf *body, void *arg), void *arg);
/* Octets with CRLF for each bare LF (RFC 8551 3.1.1). */
void mime_canonical(const char *p, size_t n, struct buf *out);

#endif
