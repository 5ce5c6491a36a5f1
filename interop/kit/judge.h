/* The first judge: takes all S/MIME layers off a message with OpenSSL and says what it saw. Whom to trust, and when a
 * certificate is valid, is not looked at. Octets are hostile; to 8 layers. */
#ifndef INTEROP_JUDGE_H
#define INTEROP_JUDGE_H

#include <openssl/cms.h>

#include "interop/kit/world.h"

enum layer_kind { LAYER_ENVELOPED, LAYER_AUTH_ENVELOPED, LAYER_SIGNED, LAYER_MULTIPART_SIGNED, LAYER_COMPRESSED };
extern const char *const layer_names[]; /* "enveloped" ... as in cases, and as the second judge names them */

enum { JUDGE_LAYERS_MAX = 8, JUDGE_KEYS_MAX = 64 };

struct recipient {
	bool by_ski;
	char *id;   /* hexadecimal: the key identifier, or SHA-256 of IssuerAndSerialNumber in DER; "": other kinds */
	char *keys; /* "pkcs1", "oaep-sha1", "oaep-sha256", "ecdh", or an OID */
};

struct signer {
	char cert_sha256[65]; /* "" when nobody knows the certificate */
	bool inside;	      /* the certificate is in the message */
	char *digest;	      /* "sha256" ... */
	bool valid;	      /* over all that is in the layer, by that certificate's key */
	char *why;	      /* not valid: why */
	char **attributes;    /* signed ones, dotted */
	size_t n_attributes;
	struct buf types; /* of signatureType (RFC 3183): dotted, each with a comma behind it */
};

struct layer {
	enum layer_kind kind;
	char *cipher; /* of encrypted ones: by the names of cases, or an OID */
	struct recipient *recipients;
	size_t n_recipients;
	bool opened;
	bool opened_by[JUDGE_KEYS_MAX]; /* by which of the keys that were offered */
	struct signer *signers;
	size_t n_signers;
	char *micalg; /* of multipart/signed; NULL: none */
};

struct judged {
	struct layer layers[JUDGE_LAYERS_MAX]; /* the outermost first */
	size_t n;
	bool whole;   /* all layers are off: content is the innermost MIME entity as it stands */
	char *broken; /* why not all of it can be read, though a key is there; NULL: it is not broken */
	struct buf content;
	bool unread;	     /* readable lacks something: a multipart that cannot be taken apart */
	struct buf readable; /* all that can be read without a key: as it stands (but base64), and decoded */
};

/* Judges a message, or a CMS object in DER. keys (at most JUDGE_KEYS_MAX): those with a key may open layers, all of
 * them are there to know signers by. Free with judged_free. */
void judge(const void *p, size_t n, const struct credential *const *keys, size_t n_keys, struct judged *out);
void judged_free(struct judged *j);
/* Does this RecipientInfo name the certificate? */
bool judge_names(const struct recipient *r, X509 *cert);
/* SHA-256 of the certificate in hexadecimal. */
void judge_certificate(X509 *cert, char out[65]);

#endif
