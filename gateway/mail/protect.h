/*
 * Protected header fields (RFC 9788): which fields are protected, hidden or kept outside, the hp parameter, HP-Outer.
 * Pure; sealer. Takes fields as octets and gives octets: nothing is decoded, so that what was protected comes out as
 * it went in. Does not know whether a signature is good: gateway/pipeline/unwrap.c does.
 */
#ifndef POSTERN_MAIL_PROTECT_H
#define POSTERN_MAIL_PROTECT_H

#include "gateway/mail/mime.h"

enum protect_kind {
	PROTECT_AUTHOR,	    /* what the sender wrote: protected */
	PROTECT_STRUCTURAL, /* MIME-Version and Content-*: of the entity it stands on (RFC 9788 1.1, RFC 9787 1.1.1)
			     */
	PROTECT_TRACE,	    /* written by those who relayed it: outside only */
	PROTECT_SECRET,	    /* Bcc; XSMG-Statement, which gateways alone write: neither inside nor outside */
	PROTECT_RECORD,	    /* HP-Outer: written by us alone */
};
enum protect_kind protect_kind(const struct header_field *f);
/* Fields that tell what a message is about: Subject, Comments, Keywords (RFC 9788 3.2.1, hcp_baseline), and
 * Thread-Topic, in which some mail programs repeat the Subject. */
bool protect_is_hidden(const struct header_field *f);
/* Fields that a reader sees or answers by. One that stands outside alone, where others are protected, was written by
 * nobody we know and is not shown (RFC 9788 4, 4.4.4). */
bool protect_is_shown(const struct header_field *f);

/* Fields to hide, as a list between commas; the default says what protect_is_hidden does. */
#define PROTECT_HIDE_DEFAULT "Subject, Comments, Keywords, Thread-Topic"
/* Is f's name in the list? */
bool protect_hides(const char *list, const struct header_field *f);
/* May a field of this name be hidden? RFC 9788 3.1: not one by which mail is delivered, answered, threaded, traced or
 * read as MIME. 0; -1 with pr, which says what is allowed. */
int protect_may_hide(const char *name, struct problem *pr) __attribute__((warn_unused_result));

/* What stands outside in place of a hidden Subject, with its CRLF. */
extern const char protect_subject[];

/* Appends the Content-Type field f with ` name="value"` as its first parameter and without the author's own of that
 * name; with "hp" also without hp-legacy-display and protected-headers. f NULL: a field of text/plain is made, which
 * protect_type_cut takes off again. 0, or -1 past out's maximum. */
int protect_type_put(struct buf *out, const struct header_field *f, const char *name, const char *value)
    __attribute__((warn_unused_result));
/* f without the parameter `name`, everything else octet for octet: what protect_type_put put there is gone. Field
 * in the arena; raw_len 0 when nothing is left that was there before protect_type_put. 0, or -1 past the arena. A
 * field without that parameter stays as it is. */
int protect_type_cut(struct arena *a, const struct header_field *f, const char *name, struct header_field *f_r)
    __attribute__((warn_unused_result));

/* protect_type_put made this field where there was none. */
bool protect_type_made(const struct header_field *f);

/* Appends f as `HP-Outer: name: value`. */
int protect_record_put(struct buf *out, const char *raw, size_t n) __attribute__((warn_unused_result));
/* The field that an HP-Outer field records: raw, name and value point into f. -1: it records none. */
int protect_record_read(const struct header_field *f, struct header_field *f_r) __attribute__((warn_unused_result));

/* Case ignored. */
bool protect_same_name(const struct header_field *f, const struct header_field *g);
/* Same name and same value, folding and runs of blanks ignored. */
bool protect_same(const struct header_field *f, const struct header_field *g);
/* Writes the names of fields of which `outside` says something else than `said` (fields missing, more, or with
 * another value; trace, structural and unknown fields that were only added are passed over) as "Subject, To" into
 * text, at most cap octets with the NUL; what does not fit ends in "...". Returns how many names there are; none past
 * the arena. n log n. */
size_t protect_differs(
    struct arena *a, const struct header *outside, const struct header *said, char *text, size_t cap);

#endif
