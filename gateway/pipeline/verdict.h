/*
 * What was found of one incoming message: its S/MIME layers, who signed them, what each signature covers and is
 * worth, which parts below the top are S/MIME as well. Filled by layers.c and inside.c, weighed here, rendered by
 * deliver.c, logged by the relay. Sealer. No I/O.
 *
 * One signature decides: the innermost. Around an encryption anybody can sign, without knowing what is inside (RFC
 * 8551 6, RFC 2634 1.1): such a signature is reported and says nothing of the content.
 */
#ifndef POSTERN_PIPELINE_VERDICT_H
#define POSTERN_PIPELINE_VERDICT_H

#include "certstore/judge_proto.h"
#include "gateway/cms/cms_verify.h"
#include "gateway/policy/policy.h"

enum verdict_kind {
	VERDICT_ENVELOPED,
	VERDICT_AUTH_ENVELOPED,
	VERDICT_SIGNED,	  /* opaque: signed-data with its content */
	VERDICT_DETACHED, /* multipart/signed */
	VERDICT_COMPRESSED,
	VERDICT_RECEIPT, /* signed-data around a receipt (RFC 2634 2) */
};
enum verdict_result {
	VERDICT_UNSIGNED,
	VERDICT_PASS,
	VERDICT_FAIL,
	VERDICT_PARTLY,
	VERDICT_UNTRUSTED,
	VERDICT_UNBOUND,
	VERDICT_EXPIRED,
	VERDICT_REVOKED,
	VERDICT_TEMPORARY,
	VERDICT_UNJUDGED, /* valid, and the judge was not asked: another signature fails, or there is no author */
};
const char *verdict_word(enum verdict_result r);

#define VERDICT_LAYERS_MAX 20
#define VERDICT_PARTS_MAX 8
#define VERDICT_TEXT_MAX 400

struct verdict_signer {
	size_t layer;
	enum verdict_result result;
	bool have_cert;
	bool known; /* it did not come with the message */
	char subject[390], serial[130], issuer[390];
	char address[256];			     /* the first the certificate names, or "" */
	int64_t not_before, not_after, signing_time; /* unix s; signing_time 0: none; the signer's own word */
	char digest[32], sigalg[48];
	char why[400];
};
struct verdict_layer {
	enum verdict_kind kind;
	char algorithm[48]; /* of the content encryption, or "" */
};
/* A part below the top that is S/MIME: never opened. */
struct verdict_part {
	char path[24]; /* "1.2" as IMAP counts */
	bool root;     /* no part: the whole of the message that was wrapped; path is "message" */
	bool encrypted;
	bool attached; /* inside a message/rfc822 */
	char type[40];
};
struct verdict {
	struct verdict_layer layers[VERDICT_LAYERS_MAX]; /* outermost first */
	size_t nlayers;
	struct verdict_signer signers[JUDGE_CERTS_MAX]; /* in order of the layers; those judged have their number */
	size_t nsigners;
	struct verdict_part parts[VERDICT_PARTS_MAX];
	size_t nparts;
	bool failed;			/* some signature does not hold, or there are more than can be judged */
	int decides;			/* signer the verdict rests on, -1 none */
	char failure[VERDICT_TEXT_MAX]; /* the first reason of `failed` */
};

/* The layer just entered. Past VERDICT_LAYERS_MAX (nesting-max is no more) nothing is noted. */
void verdict_layer(struct verdict *v, enum verdict_kind kind, const char *algorithm);
/* A signer of the last layer; one whose certificate may still be found is not judged yet. NULL when there is no room:
 * then the whole is failed. */
struct verdict_signer *verdict_signer(struct verdict *v, const struct cms_signer_facts *f);
void verdict_failed(struct verdict *v, const char *why);
/* The words for what happened to a content that changed after it was signed, for the signers of the last layer. */
void verdict_changed(struct verdict *v, const char *words);
/* Is the layer an encryption? */
bool verdict_encrypts(const struct verdict_layer *l);
void verdict_part(struct verdict *v, const struct verdict_part *p);
/* The judge's answers, one per signer in order. */
void verdict_judged(struct verdict *v, const struct judge_trust *t);
/* Weighs all of it: sets decides, and sig, sig_why and whole of f. from_why: why there is no one author, or
 * NULL when there is. */
void verdict_conclude(struct verdict *v, const char *from_why, struct policy_in *f);
/* "enveloped(aes-256-cbc)>signed(sha256)=pass", "-" without a layer; cut when too long. */
void verdict_line(const struct verdict *v, char *out, size_t cap);
/* The same in words, for a header field. */
void verdict_layer_words(const struct verdict *v, size_t layer, char *out, size_t cap);
void verdict_signer_words(const struct verdict_signer *s, char *out, size_t cap);
void verdict_part_words(const struct verdict_part *p, char *out, size_t cap);
/* RFC 7281 word for a signer that does not decide: never "pass", which readers take for the message's. */
const char *verdict_smime(const struct verdict_signer *s);

#endif
