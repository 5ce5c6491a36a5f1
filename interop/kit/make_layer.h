/* The layers of a message that is being made (make_message.c has the table). A draft is the header outside, and the
 * entity so far: its MIME fields and body, or a CMS object that becomes one when it is written. */
#ifndef INTEROP_MAKE_LAYER_H
#define INTEROP_MAKE_LAYER_H

#include "interop/kit/scene.h"

enum draft_kind {
	DRAFT_PLAIN,
	DRAFT_RAW,
	DRAFT_SIGNED,
	DRAFT_DETACHED,
	DRAFT_SEALED,
	DRAFT_AUTH_SEALED,
	DRAFT_COMPRESSED
};

struct draft {
	struct scene *s;
	const struct stmt *layer; /* that is done now */
	enum draft_kind kind;
	struct buf fields; /* of the header outside, without those of MIME; "Name: value" CRLF */
	struct buf header; /* PLAIN: Content-* fields (and inner ones); RAW: nothing */
	struct buf body;   /* PLAIN: as it is sent; RAW: the whole message; DETACHED: the signed part */
	struct buf object; /* the CMS object */
	struct buf bare;   /* PLAIN, while it is text: its octets without a transfer encoding; else empty */
	struct buf extra;  /* PLAIN, while it is text: further MIME fields */
	char *encoding;	   /* the same: the transfer encoding that it must have; NULL: as is needed */
	char *type;	   /* media type of bare, or of the object instead of its own; NULL: the usual one */
	char *micalg;	   /* DETACHED */
	unsigned line;	   /* length of base64 lines; 0: one line */
	bool third;	   /* DETACHED: a part behind the signature */
};

/* Each does one layer. 0, or -1 with why. */
typedef int make_layer(struct draft *d, struct buf *why);
make_layer layer_from, layer_to, layer_cc, layer_subject, layer_header, layer_type, layer_file, layer_raw,
    layer_large;
make_layer layer_wrap, layer_protect, layer_mixed, layer_forge, layer_disguise, layer_base64;
make_layer layer_sign, layer_encrypt, layer_compress, layer_damage;

/* The entity as it is sent: MIME fields, an empty line, the body. */
void draft_entity(struct draft *d, struct buf *out);
/* The entity becomes PLAIN with these octets (fields, an empty line, body). */
void draft_become(struct draft *d, const struct buf *entity);
/* A CMS object takes the entity's place. */
void draft_object(struct draft *d, enum draft_kind kind, const void *p, size_t n);
/* Sets a field of the header outside, in its place or at the end; non-ASCII text becomes encoded words. */
void draft_field(struct draft *d, const char *name, const char *value);
/* Splits a raw message into header and entity; nothing when it is none. */
void draft_split(struct draft *d);
/* The layer's word i with {...} replaced; NULL with why. Free it. */
char *draft_word(struct draft *d, size_t i, struct buf *why);
/* The credential of that name of this case; NULL with why. */
const struct credential *draft_credential(struct draft *d, const char *name, char use, struct buf *why);
/* The next name of a list with commas; NULL: no more. Free it. */
char *list_next(const char **at);
/* What OpenSSL said last, and forgets it. -1. */
int fail_openssl(struct buf *why, const char *what);

#endif
