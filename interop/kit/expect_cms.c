/* Expectations about layers, keys and signatures. */
#include "interop/kit/expectation.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static void list_layers(const struct judged *j, struct buf *out)
{
	for (size_t i = 0; i < j->n; i++)
		buf_addf(out, "%s%s", i ? "," : "", layer_names[j->layers[i].kind]);
	if (j->n == 0)
		buf_adds(out, "none");
}

static void add_state(const struct judged *j, struct buf *sentence)
{
	if (j->broken)
		buf_addf(sentence, "; it is broken: %s", j->broken);
	else if (!j->whole)
		buf_adds(sentence, "; no key of the case opens what is inside");
}

bool expect_layers(struct view *v, struct buf *sentence)
{
	struct buf there = {0};
	bool yes;

	list_layers(&v->seen->first, &there);
	yes = !strcmp(there.p, v->words[0]) && v->seen->first.whole;
	buf_addf(sentence, "wanted the layers %s; there are %s", v->words[0], there.p);
	add_state(&v->seen->first, sentence);
	buf_free(&there);
	return yes;
}

static const struct credential *credential(struct view *v, const char *name, char use, struct buf *sentence)
{
	const struct credential *c = v->s->world ? world_credential(v->s->world, v->s->c, name, use) : NULL;

	if (c && c->cert)
		return c;
	buf_addf(sentence, "; there is no certificate \"%s\" to compare with", name);
	v->not_run = true;
	return NULL;
}

static bool is_sealed(const struct layer *l)
{
	return l->kind == LAYER_ENVELOPED || l->kind == LAYER_AUTH_ENVELOPED;
}

/* The outermost layer, when it is encrypted; NULL with the reason. */
static const struct layer *sealed(struct view *v, struct buf *sentence)
{
	struct judged *j = &v->seen->first;
	struct buf there = {0};

	if (j->n > 0 && is_sealed(&j->layers[0]))
		return &j->layers[0];
	list_layers(j, &there);
	buf_addf(sentence, "; the outermost layer is not encrypted: there are %s", there.p);
	add_state(j, sentence);
	buf_free(&there);
	return NULL;
}

enum { NAMES_MAX = 16 };

/* Is there a RecipientInfo for it, and does its key open the layer? The gateway's keys the kit does not have. */
static bool opens(
    struct view *v, const struct layer *l, const char *name, const struct credential *c, struct buf *sentence)
{
	int key = seen_key(v->seen, c);
	bool there = false;

	for (size_t i = 0; i < l->n_recipients; i++)
		there = there || judge_names(&l->recipients[i], c->cert);
	if (!there)
		buf_addf(sentence, "; no RecipientInfo names \"%s\"", name);
	else if (c->key && (key < 0 || !l->opened_by[key]))
		buf_addf(sentence, "; the key of \"%s\" does not open it%s%s", name,
		    v->seen->first.broken ? ": " : "", v->seen->first.broken ? v->seen->first.broken : "");
	else
		return true;
	return false;
}

/* Names of a list; *good is false when one must open it and does not. How many are known. */
static size_t named(struct view *v, const struct layer *l, const char *list, bool must, const struct credential **out,
    bool *good, struct buf *sentence)
{
	size_t n = 0;

	for (const char *at = list; *at && n < NAMES_MAX;) {
		size_t len = strcspn(at, ",");
		char *name = text_cut(at, len);

		out[n] = credential(v, name, 'e', sentence);
		if (must)
			*good = out[n] && opens(v, l, name, out[n], sentence) && *good;
		n += out[n] != NULL;
		at += len + (at[len] == ',');
		free(name);
	}
	return n;
}

/* RFC 8551 3.3: a copy for the originator may be there. */
static bool is_gateways(struct view *v, const struct recipient *r)
{
	static const char uses[] = {'e', 'a'};

	for (size_t i = 0; v->s->world && i < sizeof(uses); i++) {
		const struct credential *c = world_credential(v->s->world, v->s->c, "gateway", uses[i]);

		if (c && c->cert && judge_names(r, c->cert))
			return true;
	}
	return false;
}

bool expect_sealed_for(struct view *v, struct buf *sentence)
{
	const struct credential *known[2 * NAMES_MAX];
	const struct layer *l;
	bool good = true;
	size_t n;

	buf_addf(sentence, "wanted encryption for %s alone", v->words[0]);
	l = sealed(v, sentence);
	if (!l)
		return false;
	n = named(v, l, v->words[0], true, known, &good, sentence);
	n += named(v, l, stmt_attribute(v->e, "may", ""), false, known + n, &good, sentence);
	for (size_t i = 0; i < l->n_recipients; i++) {
		bool his = is_gateways(v, &l->recipients[i]);

		for (size_t k = 0; k < n; k++)
			his = his || judge_names(&l->recipients[i], known[k]->cert);
		if (!his)
			buf_addf(sentence, "; a RecipientInfo (%s %.16s) is for somebody else",
			    l->recipients[i].by_ski ? "key identifier" : "issuer and serial, SHA-256",
			    l->recipients[i].id);
		good = good && his;
	}
	if (good)
		buf_addf(sentence, "; it opens, and %zu RecipientInfos are there", l->n_recipients);
	return good;
}

bool expect_cipher(struct view *v, struct buf *sentence)
{
	const struct layer *l;

	buf_addf(sentence, "wanted content encryption with %s", v->words[0]);
	l = sealed(v, sentence);
	if (!l)
		return false;
	buf_addf(sentence, "; it is %s", l->cipher ? l->cipher : "not readable");
	return l->cipher && text_is_word_in(l->cipher, v->words[0]);
}

bool expect_keys(struct view *v, struct buf *sentence)
{
	const struct layer *l;
	bool good;

	buf_addf(sentence, "wanted key management with %s", v->words[0]);
	l = sealed(v, sentence);
	if (!l)
		return false;
	good = l->n_recipients > 0;
	buf_adds(sentence, "; there is");
	for (size_t i = 0; i < l->n_recipients; i++) {
		buf_addf(sentence, " %s", l->recipients[i].keys);
		good = good && text_is_word_in(l->recipients[i].keys, v->words[0]);
	}
	return good;
}

/* --- signatures ------------------------------------------------------------------------------------------------- */

static bool is_signed(const struct layer *l)
{
	return l->kind == LAYER_SIGNED || l->kind == LAYER_MULTIPART_SIGNED;
}

/* The signature by this certificate (hash), valid ones first; NULL: none. */
static const struct signer *find_signer(const struct judged *j, const char *hash)
{
	const struct signer *wrong = NULL;

	for (size_t i = 0; i < j->n; i++)
		for (size_t k = 0; is_signed(&j->layers[i]) && k < j->layers[i].n_signers; k++) {
			const struct signer *s = &j->layers[i].signers[k];

			if (!strcmp(s->cert_sha256, hash) && s->valid)
				return s;
			if (!strcmp(s->cert_sha256, hash))
				wrong = s;
		}
	return wrong;
}

static void list_signers(const struct judged *j, struct buf *out)
{
	size_t n = 0;

	for (size_t i = 0; i < j->n; i++)
		for (size_t k = 0; k < j->layers[i].n_signers; k++) {
			const struct signer *s = &j->layers[i].signers[k];

			buf_addf(out, "%s by the certificate %.16s (%s%s%s)", n++ ? "," : "",
			    *s->cert_sha256 ? s->cert_sha256 : "that nobody knows", s->valid ? "valid" : "not valid",
			    s->why ? ": " : "", s->why ? s->why : "");
		}
	if (n == 0)
		buf_adds(out, " none");
}

bool expect_signed_by(struct view *v, struct buf *sentence)
{
	const struct credential *c;
	const struct signer *s;
	char hash[65];

	buf_addf(sentence, "wanted a valid signature by %s over all of the content", v->words[0]);
	c = credential(v, v->words[0], 's', sentence);
	if (!c)
		return false;
	judge_certificate(c->cert, hash);
	s = find_signer(&v->seen->first, hash);
	if (s && s->valid && v->seen->first.whole) {
		buf_addf(sentence, "; it is there, by the certificate %.16s", hash);
		return true;
	}
	buf_addf(sentence, " (certificate %.16s); there are:", hash);
	list_signers(&v->seen->first, sentence);
	add_state(&v->seen->first, sentence);
	return false;
}

/* "That signature": the one of the last signed-by before this expectation, or of one behind it; else the gateway's,
 * else the outermost. */
static const struct signer *that_signer(struct view *v, struct buf *sentence)
{
	const struct judged *j = &v->seen->first;
	const struct credential *c;
	const struct signer *s = NULL;
	const char *by = NULL;
	char hash[65];

	for (size_t i = 0; i < v->await->n_below; i++)
		if (!strcmp(v->await->below[i].verb, "signed-by") && (!by || &v->await->below[i] < v->e))
			by = stmt_word(&v->await->below[i], 0, NULL);
	c = v->s->world ? world_credential(v->s->world, v->s->c, by ? by : "gateway", 's') : NULL;
	if (c && c->cert) {
		judge_certificate(c->cert, hash);
		s = find_signer(j, hash);
	}
	for (size_t i = 0; !s && !by && i < j->n; i++)
		if (j->layers[i].n_signers > 0)
			s = &j->layers[i].signers[0];
	if (s && s->valid)
		return s;
	buf_adds(sentence, s ? "; that signature is not valid" : "; there is no such signature");
	add_state(j, sentence);
	return NULL;
}

bool expect_digest(struct view *v, struct buf *sentence)
{
	const struct signer *s;

	buf_addf(sentence, "wanted a signature with %s", v->words[0]);
	s = that_signer(v, sentence);
	if (s)
		buf_addf(sentence, "; it is %s", s->digest);
	return s && text_is_word_in(s->digest, v->words[0]);
}

bool expect_signature_type(struct view *v, struct buf *sentence)
{
	static const struct {
		const char *name, *oid;
	} types[] = {{"originatorSig", "1.2.840.113549.1.9.16.9.1"}, {"domainSig", "1.2.840.113549.1.9.16.9.2"},
	    {"addAttribSig", "1.2.840.113549.1.9.16.9.3"}, {"reviewSig", "1.2.840.113549.1.9.16.9.4"}};
	const struct signer *s;
	const char *wanted = v->words[0];

	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
		if (!strcmp(types[i].name, v->words[0]))
			wanted = types[i].oid;
	buf_addf(sentence, "wanted the signatureType %s (RFC 3183)", v->words[0]);
	s = that_signer(v, sentence);
	if (s)
		buf_addf(sentence, "; there is %.*s", s->types.n ? (int)s->types.n - 1 : 4,
		    s->types.n ? s->types.p : "none");
	return s && s->types.n && text_is_word_in(wanted, s->types.p);
}

bool expect_attribute(struct view *v, struct buf *sentence)
{
	const struct signer *s;

	buf_addf(sentence, "wanted the signed attribute %s", v->words[0]);
	s = that_signer(v, sentence);
	for (size_t i = 0; s && i < s->n_attributes; i++)
		if (!strcmp(s->attributes[i], v->words[0])) {
			buf_adds(sentence, "; it is there");
			return true;
		}
	if (s)
		buf_addf(sentence, "; it is not among the %zu that are there", s->n_attributes);
	return false;
}

bool expect_signer_certs(struct view *v, struct buf *sentence)
{
	const struct signer *s;

	buf_addf(sentence, "wanted the signer's certificate %s",
	    strcmp(v->words[0], "no") ? "in the message" : "not in the message");
	s = that_signer(v, sentence);
	if (s)
		buf_addf(sentence, "; it is %s", s->inside ? "there" : "not there");
	return s && s->inside == (strcmp(v->words[0], "no") != 0);
}
