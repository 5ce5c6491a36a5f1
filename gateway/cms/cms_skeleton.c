/*
 * The cutter. Each structure is a table of its fields (RFC 5652 5.1, 5.2, 6.1; RFC 5083 2.1); one function walks any
 * of them. Sealer and tests.
 */
#include "gateway/cms/cms_skeleton.h"

#include <openssl/objects.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/cms/cms_alg.h"

enum {
	SKELETON_SIGNED = 1 << 20,
	SKELETON_ENVELOPED = 256 << 10,
	OID_MAX = 64,
	SKELETON_COMPRESSED = 1024,		     /* three object identifiers */
	SKELETON_OTHER = BER_HEAD_MAX + OID_MAX + 8, /* ContentInfo and contentType alone */
};

const struct cms_limits cms_limits_default = {
    .skeleton = 0, .nesting = 32, .recipients = 1000, .signers = 16, .certs = 64, .elements = 4 << 20};

struct cut {
	struct ber ber;
	const struct cms_limits *lim;
	struct cms_skeleton *sk;
};

enum form { PRIMITIVE, CONSTRUCTED, EITHER };
enum need { REQUIRED, OPTIONAL };
struct field {
	const char *name;
	enum ber_class cls;
	uint32_t tag;
	enum form form;
	enum need need;
	int (*take)(struct cut *c, const struct ber_item *it, struct problem *pr);
};

static int emit(struct cut *c, const char *octets, struct problem *pr)
{
	if (buf_add(&c->sk->der, octets, 2) == 0)
		return 0;
	return ber_problem(
	    c->ber.pos, pr, "the structure around the content is larger than %zu octets.", c->sk->der.max);
}

static bool matches(const struct field *f, const struct ber_item *it)
{
	return ber_is(it, f->cls, f->tag) && (f->form == EITHER || it->constructed == (f->form == CONSTRUCTED));
}

/* The children of the element just entered, in the order of the table. */
static int walk(struct cut *c, const struct field *f, struct problem *pr)
{
	struct ber_item it;
	int r;

	while ((r = ber_next(&c->ber, &it, pr)) == 1) {
		while (f->name != NULL && !matches(f, &it) && f->need == OPTIONAL)
			f++;
		if (f->name == NULL)
			return ber_problem(
			    it.off, pr, "an element (tag 0x%02x) that does not belong there.", it.head[0]);
		if (!matches(f, &it))
			return ber_problem(it.off, pr, "tag 0x%02x where %s belongs.", it.head[0], f->name);
		if (f->take(c, &it, pr) == -1)
			return problem_prefix(pr, "%s: ", f->name);
		f++;
	}
	for (; r == 0 && f->name != NULL; f++)
		if (f->need == REQUIRED)
			return ber_problem(c->ber.pos, pr, "%s is missing.", f->name);
	return r;
}

/* An element that holds the content: header of indefinite length, its fields, end. */
static int walk_open(
    struct cut *c, const struct ber_item *it, const char *head, const struct field *f, struct problem *pr)
{
	if (emit(c, head, pr) == -1 || ber_enter(&c->ber, it, pr) == -1 || walk(c, f, pr) == -1 ||
	    ber_leave(&c->ber, pr) == -1)
		return -1;
	return emit(c, "\0", pr);
}

static int take_copy(struct cut *c, const struct ber_item *it, struct problem *pr)
{
	return ber_copy(&c->ber, it, &c->sk->der, pr);
}

static int take_skip(struct cut *c, const struct ber_item *it, struct problem *pr)
{
	return ber_skip(&c->ber, it, pr);
}

/* Copies an OBJECT IDENTIFIER to `to` and gives its NID and name. */
static int take_oid(
    struct ber *b, const struct ber_item *it, struct buf *to, int *nid_r, char text[80], struct problem *pr)
{
	size_t before = to->len;
	const unsigned char *p;
	ASN1_OBJECT *obj;

	if (it->indefinite || it->len > OID_MAX)
		return ber_problem(it->off, pr, "an object identifier of %llu octets.", (unsigned long long)it->len);
	if (ber_copy(b, it, to, pr) == -1)
		return -1;
	p = to->p + before;
	obj = d2i_ASN1_OBJECT(NULL, &p, (long)(to->len - before));
	if (obj == NULL)
		return ber_problem(it->off, pr, "a malformed object identifier.");
	*nid_r = OBJ_obj2nid(obj);
	cms_alg_text(obj, text, 80);
	ASN1_OBJECT_free(obj);
	return 0;
}

/* ---- EnvelopedData and AuthEnvelopedData ---- */

/* Copies an element to `to` and remembers where: the n-th of its kind. */
static int take_part(struct cut *c, const struct ber_item *it, struct buf *to, size_t *n, struct problem *pr)
{
	struct cms_skeleton *sk = c->sk;
	size_t at = to->len;

	if ((*n & (*n - 1)) == 0) /* 0, 1, 2, 4 ...: full */
		sk->parts = mem_resize(sk->parts, (*n * 2 + 1) * sizeof(sk->parts[0]));
	if (ber_copy(&c->ber, it, to, pr) == -1)
		return -1;
	sk->parts[(*n)++] = (struct cms_skeleton_part){(uint32_t)at, (uint32_t)(to->len - at)};
	return 0;
}

static int take_recipients(struct cut *c, const struct ber_item *it, struct problem *pr)
{
	struct cms_skeleton *sk = c->sk;
	struct ber_item ri;
	int r;

	if (emit(c, "\x31\x80", pr) == -1 || ber_enter(&c->ber, it, pr) == -1)
		return -1;
	while ((r = ber_next(&c->ber, &ri, pr)) == 1) {
		if (sk->recipients == c->lim->recipients)
			return ber_problem(ri.off, pr, "more than %zu recipients.", c->lim->recipients);
		if (take_part(c, &ri, &sk->der, &sk->recipients, pr) == -1)
			return -1;
	}
	if (r == -1 || ber_leave(&c->ber, pr) == -1)
		return -1;
	if (sk->recipients == 0) /* RFC 5652 6.1: SET SIZE (1..MAX) */
		return ber_problem(it->off, pr, "no recipient at all.");
	return emit(c, "\0", pr);
}

static int take_inner(struct cut *c, const struct ber_item *it, struct problem *pr)
{
	char text[80];

	return take_oid(&c->ber, it, &c->sk->der, &c->sk->inner, text, pr);
}

/* GCMParameters (RFC 5084 3.2): nonce, aes-ICVlen INTEGER DEFAULT 12. */
static int read_gcm(struct ber *b, const struct ber_item *it, struct cms_skeleton *sk, struct problem *pr)
{
	struct ber_item p;
	const uint8_t *v;
	size_t n;
	int r;

	if (ber_enter(b, it, pr) == -1)
		return -1;
	r = ber_next(b, &p, pr);
	if (r != 1 || !ber_is(&p, BER_UNIVERSAL, BER_OCTETS) || p.constructed)
		return r == -1 ? -1 : ber_problem(it->off, pr, "the nonce is missing.");
	sk->iv = (size_t)p.len;
	sk->icv = 12; /* the default, when nothing follows */
	ber_pass(b);
	r = ber_next(b, &p, pr);
	if (r != 1)
		return r;
	if (!ber_is(&p, BER_UNIVERSAL, BER_INTEGER) || p.len != 1)
		return ber_problem(p.off, pr, "a malformed length of the authentication tag.");
	if (ber_run(b, &v, &n, pr) == 1)
		sk->icv = v[0];
	return 0;
}

/* The parameters of the content cipher: an IV, or GCMParameters. Other shapes are left to the check of the cipher. */
static int read_cipher(struct ber *b, struct cms_skeleton *sk, struct problem *pr)
{
	const struct cms_alg_cipher *alg;
	struct ber_item it;
	struct buf oid;
	int r;

	if (ber_next(b, &it, pr) != 1 || ber_enter(b, &it, pr) == -1)
		return -1;
	r = ber_next(b, &it, pr);
	if (r != 1 || !ber_is(&it, BER_UNIVERSAL, BER_OID) || it.constructed)
		return r == -1 ? -1 : ber_problem(b->pos, pr, "no object identifier in it.");
	buf_init(&oid, OID_MAX + BER_HEAD_MAX);
	r = take_oid(b, &it, &oid, &sk->cipher, sk->cipher_text, pr);
	buf_clear(&oid);
	if (r == 0)
		r = ber_next(b, &it, pr);
	if (r != 1)
		return r;
	if (ber_is(&it, BER_UNIVERSAL, BER_OCTETS) && !it.constructed)
		sk->iv = (size_t)it.len;
	/* others have a SEQUENCE too: RC2's begins with its version (RFC 3370 5.2) */
	alg = cms_alg_cipher(sk->cipher);
	if (alg != NULL && alg->mode == CMS_ALG_GCM && ber_is(&it, BER_UNIVERSAL, BER_SEQUENCE) && it.constructed)
		return read_gcm(b, &it, sk, pr);
	return 0;
}

static int take_cipher(struct cut *c, const struct ber_item *it, struct problem *pr)
{
	size_t at = c->sk->der.len;
	struct ber b;

	if (take_copy(c, it, pr) == -1)
		return -1;
	ber_open_mem(&b, c->sk->der.p + at, c->sk->der.len - at, it->off, c->lim->nesting);
	return read_cipher(&b, c->sk, pr);
}

static int take_content(struct cut *c, const struct ber_item *it, struct problem *pr)
{
	c->sk->has_content = true;
	return cms_content_scan(&c->ber, it, c->lim->elements, &c->sk->content, pr);
}

static const struct field encrypted_fields[] = {
    {"contentType", BER_UNIVERSAL, BER_OID, PRIMITIVE, REQUIRED, take_inner},
    {"contentEncryptionAlgorithm", BER_UNIVERSAL, BER_SEQUENCE, CONSTRUCTED, REQUIRED, take_cipher},
    {"encryptedContent", BER_CONTEXT, 0, EITHER, OPTIONAL, take_content},
    {0},
};

static int take_encrypted(struct cut *c, const struct ber_item *it, struct problem *pr)
{
	return walk_open(c, it, "\x30\x80", encrypted_fields, pr);
}

/* RFC 5083 2.2: what is authenticated is the DER encoding with the tag of SET OF, not the [1] that travels. */
static int take_auth_attrs(struct cut *c, const struct ber_item *it, struct problem *pr)
{
	if (it->indefinite)
		return ber_problem(it->off, pr, "authenticated attributes that are not in DER (RFC 5083 2.1).");
	if (ber_copy(&c->ber, it, &c->sk->aad, pr) == -1)
		return -1;
	c->sk->aad.p[0] = 0x31;
	return 0;
}

static int take_mac(struct cut *c, const struct ber_item *it, struct problem *pr)
{
	c->sk->mac = it->len < SIZE_MAX ? (size_t)it->len : SIZE_MAX;
	return take_copy(c, it, pr);
}

static const struct field enveloped_fields[] = {
    {"version", BER_UNIVERSAL, BER_INTEGER, PRIMITIVE, REQUIRED, take_copy},
    {"originatorInfo", BER_CONTEXT, 0, CONSTRUCTED, OPTIONAL, take_skip},
    {"recipientInfos", BER_UNIVERSAL, BER_SET, CONSTRUCTED, REQUIRED, take_recipients},
    {"encryptedContentInfo", BER_UNIVERSAL, BER_SEQUENCE, CONSTRUCTED, REQUIRED, take_encrypted},
    {"unprotectedAttrs", BER_CONTEXT, 1, CONSTRUCTED, OPTIONAL, take_skip},
    {0},
};

static const struct field auth_fields[] = {
    {"version", BER_UNIVERSAL, BER_INTEGER, PRIMITIVE, REQUIRED, take_copy},
    {"originatorInfo", BER_CONTEXT, 0, CONSTRUCTED, OPTIONAL, take_skip},
    {"recipientInfos", BER_UNIVERSAL, BER_SET, CONSTRUCTED, REQUIRED, take_recipients},
    {"authEncryptedContentInfo", BER_UNIVERSAL, BER_SEQUENCE, CONSTRUCTED, REQUIRED, take_encrypted},
    {"authAttrs", BER_CONTEXT, 1, CONSTRUCTED, OPTIONAL, take_auth_attrs},
    {"mac", BER_UNIVERSAL, BER_OCTETS, PRIMITIVE, REQUIRED, take_mac},
    {"unauthAttrs", BER_CONTEXT, 2, CONSTRUCTED, OPTIONAL, take_skip},
    {0},
};

/* ---- SignedData ---- */

static int take_econtent(struct cut *c, const struct ber_item *it, struct problem *pr)
{
	struct ber_item string;
	int r;

	if (ber_enter(&c->ber, it, pr) == -1)
		return -1;
	r = ber_next(&c->ber, &string, pr);
	if (r != 1 || !ber_is(&string, BER_UNIVERSAL, BER_OCTETS))
		return r == -1 ? -1 : ber_problem(c->ber.pos, pr, "not an octet string (RFC 5652 5.2).");
	if (take_content(c, &string, pr) == -1)
		return -1;
	return ber_leave(&c->ber, pr);
}

static const struct field encap_fields[] = {
    {"eContentType", BER_UNIVERSAL, BER_OID, PRIMITIVE, REQUIRED, take_inner},
    {"eContent", BER_CONTEXT, 0, CONSTRUCTED, OPTIONAL, take_econtent},
    {0},
};

static int take_encap(struct cut *c, const struct ber_item *it, struct problem *pr)
{
	return walk_open(c, it, "\x30\x80", encap_fields, pr);
}

/* CertificateSet (RFC 5652 10.2.3): of its choices only Certificate, a SEQUENCE, is of use. */
static int take_certs(struct cut *c, const struct ber_item *it, struct problem *pr)
{
	struct cms_skeleton *sk = c->sk;
	struct ber_item cert;
	int r;

	if (ber_enter(&c->ber, it, pr) == -1)
		return -1;
	while ((r = ber_next(&c->ber, &cert, pr)) == 1) {
		if (!ber_is(&cert, BER_UNIVERSAL, BER_SEQUENCE) || !cert.constructed) {
			if (take_skip(c, &cert, pr) == -1)
				return -1;
			continue;
		}
		if (sk->certs == c->lim->certs)
			return ber_problem(cert.off, pr, "more than %zu certificates.", c->lim->certs);
		if (take_part(c, &cert, &sk->certs_der, &sk->certs, pr) == -1)
			return -1;
	}
	return r == -1 ? -1 : ber_leave(&c->ber, pr);
}

static int take_signers(struct cut *c, const struct ber_item *it, struct problem *pr)
{
	struct ber_item si;
	int r;

	if (emit(c, "\x31\x80", pr) == -1 || ber_enter(&c->ber, it, pr) == -1)
		return -1;
	while ((r = ber_next(&c->ber, &si, pr)) == 1) {
		if (c->sk->signers == c->lim->signers)
			return ber_problem(si.off, pr, "more than %zu signers.", c->lim->signers);
		c->sk->signers++;
		if (take_copy(c, &si, pr) == -1)
			return -1;
	}
	if (r == -1 || ber_leave(&c->ber, pr) == -1)
		return -1;
	return emit(c, "\0", pr);
}

static const struct field signed_fields[] = {
    {"version", BER_UNIVERSAL, BER_INTEGER, PRIMITIVE, REQUIRED, take_copy},
    {"digestAlgorithms", BER_UNIVERSAL, BER_SET, CONSTRUCTED, REQUIRED, take_copy},
    {"encapContentInfo", BER_UNIVERSAL, BER_SEQUENCE, CONSTRUCTED, REQUIRED, take_encap},
    {"certificates", BER_CONTEXT, 0, CONSTRUCTED, OPTIONAL, take_certs},
    {"crls", BER_CONTEXT, 1, CONSTRUCTED, OPTIONAL, take_skip},
    {"signerInfos", BER_UNIVERSAL, BER_SET, CONSTRUCTED, REQUIRED, take_signers},
    {0},
};

/* ---- CompressedData (RFC 3274 1.1): no skeleton, as OpenSSL has no part in reading it ---- */

static int take_compression(struct cut *c, const struct ber_item *it, struct problem *pr)
{
	struct ber_item oid;
	int r;

	if (ber_enter(&c->ber, it, pr) == -1)
		return -1;
	r = ber_next(&c->ber, &oid, pr);
	if (r != 1 || !ber_is(&oid, BER_UNIVERSAL, BER_OID) || oid.constructed)
		return r == -1 ? -1 : ber_problem(it->off, pr, "no object identifier in it.");
	if (take_oid(&c->ber, &oid, &c->sk->der, &c->sk->cipher, c->sk->cipher_text, pr) == -1)
		return -1;
	r = ber_next(&c->ber, &oid, pr); /* parameters: none for zlib, a NULL does no harm */
	if (r == -1 || (r == 1 && ber_skip(&c->ber, &oid, pr) == -1))
		return -1;
	return ber_leave(&c->ber, pr);
}

static const struct field compressed_fields[] = {
    {"version", BER_UNIVERSAL, BER_INTEGER, PRIMITIVE, REQUIRED, take_skip},
    {"compressionAlgorithm", BER_UNIVERSAL, BER_SEQUENCE, CONSTRUCTED, REQUIRED, take_compression},
    {"encapContentInfo", BER_UNIVERSAL, BER_SEQUENCE, CONSTRUCTED, REQUIRED, take_encap},
    {0},
};

/* ---- ContentInfo ---- */

struct kind {
	int nid;
	enum cms_kind kind;
	size_t skeleton;
	const char *name;
	const struct field *fields; /* NULL: only its outside is looked at */
};
static const struct kind kinds[] = {
    {NID_pkcs7_enveloped, CMS_KIND_ENVELOPED, SKELETON_ENVELOPED, "EnvelopedData", enveloped_fields},
    {NID_id_smime_ct_authEnvelopedData, CMS_KIND_AUTH_ENVELOPED, SKELETON_ENVELOPED, "AuthEnvelopedData",
	auth_fields},
    {NID_pkcs7_signed, CMS_KIND_SIGNED, SKELETON_SIGNED, "SignedData", signed_fields},
    {NID_id_smime_ct_compressedData, CMS_KIND_COMPRESSED, SKELETON_COMPRESSED, "CompressedData", compressed_fields},
    {NID_undef, CMS_KIND_OTHER, SKELETON_OTHER, "content", NULL}, /* the last takes all others */
};

static int take_type(struct cut *c, const struct ber_item *it, struct problem *pr)
{
	const struct kind *k = kinds;
	int nid = NID_undef;

	if (take_oid(&c->ber, it, &c->sk->der, &nid, c->sk->type, pr) == -1)
		return -1;
	while (k->nid != nid && k->nid != NID_undef)
		k++;
	c->sk->kind = k->kind;
	c->sk->der.max = c->lim->skeleton != 0 ? c->lim->skeleton : k->skeleton;
	c->sk->aad.max = c->sk->certs_der.max = c->sk->der.max;
	if (c->sk->der.len <= c->sk->der.max)
		return 0;
	c->sk->der.max = c->sk->der.len; /* a buf is never fuller than it may be */
	return ber_problem(it->off, pr, "the structure around the content is larger than the limit.");
}

static int take_body(struct cut *c, const struct ber_item *it, struct problem *pr)
{
	const struct kind *k = kinds;
	struct ber_item body;
	int r;

	while (k->kind != c->sk->kind)
		k++;
	if (k->fields == NULL)
		return ber_skip(&c->ber, it, pr);
	if (emit(c, "\xa0\x80", pr) == -1 || ber_enter(&c->ber, it, pr) == -1)
		return -1;
	r = ber_next(&c->ber, &body, pr);
	if (r != 1 || !ber_is(&body, BER_UNIVERSAL, BER_SEQUENCE) || !body.constructed)
		return r == -1 ? -1 : ber_problem(c->ber.pos, pr, "%s is not a SEQUENCE.", k->name);
	if (walk_open(c, &body, "\x30\x80", k->fields, pr) == -1)
		return problem_prefix(pr, "%s: ", k->name);
	if (ber_leave(&c->ber, pr) == -1)
		return -1;
	return emit(c, "\0", pr);
}

static const struct field info_fields[] = {
    {"contentType", BER_UNIVERSAL, BER_OID, PRIMITIVE, REQUIRED, take_type},
    {"content", BER_CONTEXT, 0, CONSTRUCTED, REQUIRED, take_body},
    {0},
};

static int cut_all(struct cut *c, struct problem *pr)
{
	struct ber_item it;
	int r = ber_next(&c->ber, &it, pr);

	if (r == 0)
		return ber_problem(0, pr, "nothing there.");
	if (r == 1 && (!ber_is(&it, BER_UNIVERSAL, BER_SEQUENCE) || !it.constructed))
		return ber_problem(it.off, pr, "tag 0x%02x where ContentInfo belongs.", it.head[0]);
	if (r == -1 || walk_open(c, &it, "\x30\x80", info_fields, pr) == -1)
		return -1;
	return ber_end(&c->ber, pr);
}

int cms_skeleton_cut(struct reader *in, const struct cms_limits *lim, struct cms_skeleton *sk_r, struct problem *pr)
{
	struct cut c = {.lim = lim, .sk = sk_r};
	int r;

	memset(sk_r, 0, sizeof(*sk_r));
	buf_init(&sk_r->der, SKELETON_OTHER);
	buf_init(&sk_r->aad, 0);
	buf_init(&sk_r->certs_der, 0);
	ber_open(&c.ber, in, 0, in->size, lim->nesting);
	r = cut_all(&c, pr);
	ber_close(&c.ber);
	if (r == -1)
		return problem_prefix(pr, "The CMS structure is malformed: ");
	if (sk_r->kind == CMS_KIND_COMPRESSED || sk_r->kind == CMS_KIND_OTHER)
		buf_clear(&sk_r->der);
	return 0;
}

void cms_skeleton_clear(struct cms_skeleton *sk)
{
	buf_clear(&sk->der);
	buf_clear(&sk->aad);
	buf_clear(&sk->certs_der);
	free(sk->parts);
	memset(sk, 0, sizeof(*sk));
}
