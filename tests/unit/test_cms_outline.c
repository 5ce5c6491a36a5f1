/* cms_outline.c (with cms_skeleton.c and cms_content.c): forms of one message, what is refused without a key, whose
 * it is, limits. */
#include "tests/unit/cms_keys_fixture.h"

#include <openssl/sha.h>

#include "gateway/base/encode.h"
#include "gateway/base/mem.h"
#include "gateway/cms/base64.h"
#include "gateway/cms/cms_skeleton.h"

static void setup(void)
{
	fx_keys_setup(5000);
}

static int outline(const void *p, size_t n, const struct cms_limits *lim, struct cms_outline **o, struct problem *pr)
{
	static struct stream_mem in;

	memset(pr, 0, sizeof(*pr));
	stream_mem_init(&in, p, n);
	return cms_outline(&in.reader, lim, o, pr);
}

/* Outline and check; the text of the problem is in *pr. */
static int outside(const struct buf *b, struct problem *pr)
{
	struct cms_outline *o;
	int r = outline(b->p, b->len, NULL, &o, pr);

	if (r == 0)
		r = cms_outline_check(o, pr);
	cms_outline_free(o);
	return r;
}

/* What OpenSSL encrypts with any cipher, as one definite DER or streamed. */
static struct buf openssl_encrypt(const EVP_CIPHER *cipher, unsigned int flags)
{
	STACK_OF(X509) *certs = sk_X509_new_null();
	BIO *in = BIO_new_mem_buf(text.p, (int)text.len), *out = BIO_new(BIO_s_mem());
	CMS_ContentInfo *cms;
	struct buf b;
	char *p;
	long n;

	sk_X509_push(certs, rsa.cert);
	cms = CMS_encrypt(certs, in, cipher, flags | CMS_BINARY);
	ck_assert_ptr_nonnull(cms);
	ck_assert_int_eq(i2d_CMS_bio_stream(out, cms, in, (int)flags | CMS_BINARY), 1);
	n = BIO_get_mem_data(out, &p);
	buf_init(&b, FX_MAX);
	ck_assert_int_eq(buf_add(&b, p, (size_t)n), 0);
	CMS_ContentInfo_free(cms);
	BIO_free(in);
	BIO_free(out);
	sk_X509_free(certs);
	return b;
}

static void put(struct buf *b, const void *p, size_t n)
{
	ck_assert_int_eq(buf_add(b, p, n), 0);
}

/* How the content string is written anew. */
struct form {
	const char *name;
	size_t segment; /* octets of a segment; 0: primitive */
	int nested;	/* constructed strings around each segment */
	int definite;	/* the outermost string has a definite length */
};
static const struct form forms[] = {
    {"primitive", 0, 0, 1},
    {"segments", 1000, 0, 0},
    {"segments, definite", 1000, 0, 1},
    {"one octet each", 1, 0, 0},
    {"nested once", 100, 1, 0},
    {"nested five times", 700, 5, 0},
};

static void put_length(struct buf *b, size_t n)
{
	uint8_t head[4] = {0x83, (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n};

	put(b, head, 4);
}

static struct buf segments(const struct form *f, const struct buf *content)
{
	struct buf b;

	buf_init(&b, FX_MAX);
	if (f->segment == 0)
		put(&b, content->p, content->len);
	for (size_t off = 0; f->segment > 0 && off < content->len; off += f->segment) {
		size_t n = content->len - off < f->segment ? content->len - off : f->segment;

		for (int i = 0; i < f->nested; i++)
			put(&b, "\x24\x80", 2);
		put(&b, "\x04", 1);
		put_length(&b, n);
		put(&b, content->p + off, n);
		for (int i = 0; i < f->nested; i++)
			put(&b, "\0", 2);
	}
	return b;
}

/* The same message with its content in another form: the skeleton (all headers indefinite) with the new string put
 * where it was. */
static struct buf reform(const struct buf *der, const struct form *f, uint8_t tag, size_t from_end)
{
	struct problem pr = {0};
	struct cms_skeleton sk;
	struct cms_content c;
	struct stream_mem in;
	struct buf content, body, out;
	const uint8_t *p;
	size_t n;

	buf_init(&content, FX_MAX);
	buf_init(&out, FX_MAX);
	stream_mem_init(&in, der->p, der->len);
	ck_assert_msg(cms_skeleton_cut(&in.reader, &cms_limits_default, &sk, &pr) == 0, "%s", pr.text);
	ck_assert_int_eq(cms_content_open(&c, &in.reader, &sk.content, 32, 1000, &pr), 0);
	while (cms_content_next(&c, &p, &n, &pr) == 1)
		put(&content, p, n);
	cms_content_close(&c);
	ck_assert_uint_eq(content.len, sk.content.octets);
	body = segments(f, &content);
	tag |= f->segment > 0 ? 0x20 : 0;
	put(&out, sk.der.p, sk.der.len - from_end);
	put(&out, &tag, 1);
	if (f->definite)
		put_length(&out, body.len);
	else
		put(&out, "\x80", 1);
	put(&out, body.p, body.len);
	if (!f->definite)
		put(&out, "\0", 2);
	put(&out, sk.der.p + sk.der.len - from_end, from_end);
	buf_clear(&content);
	buf_clear(&body);
	cms_skeleton_clear(&sk);
	return out;
}

START_TEST(test_forms)
{
	const struct form *f = &forms[_i];
	/* behind the content stand the ends of four elements; in AuthEnvelopedData one end, the MAC, three ends */
	static const struct {
		enum cms_cipher cipher;
		size_t from_end;
	} t[] = {{CMS_AES_256_CBC, 8}, {CMS_AES_256_GCM, 2 + 18 + 6}};

	for (size_t i = 0; i < 2; i++) {
		struct problem pr;
		struct buf der, other_form, got;
		char dir[64];

		fx_encrypt(&text, rsa.cert, CMS_KEY_RSA_V15, t[i].cipher, &der);
		other_form = reform(&der, f, 0x80, t[i].from_end);
		ck_assert_msg(
		    fx_decrypt(other_form.p, other_form.len, &rsa, &got, &pr) == 0, "%s: %s", f->name, pr.text);
		fx_same(&got, &text);
		buf_clear(&got);
		if (f->nested < 3) { /* OpenSSL follows no deeper */
			fx_dir(dir);
			fx_openssl_decrypts(dir, &other_form, "rsa", &text);
			fx_remove(dir);
		}
		buf_clear(&other_form);
		buf_clear(&der);
	}
}
END_TEST

/* SignedData with its content in another form: the skeleton has lost content and certificates, both are put back. */
static struct buf reform_signed(const struct buf *der, const struct form *f)
{
	static const uint8_t absent[] = {0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01, 0,
	    0}; /* data, end of encapContentInfo */
	struct problem pr = {0};
	struct cms_skeleton sk;
	struct stream_mem in;
	struct buf body, out;
	uint8_t *at, tag = f->segment > 0 ? 0x24 : 0x04;
	size_t before;

	buf_init(&out, FX_MAX);
	stream_mem_init(&in, der->p, der->len);
	ck_assert_msg(cms_skeleton_cut(&in.reader, &cms_limits_default, &sk, &pr) == 0, "%s", pr.text);
	ck_assert_uint_eq(sk.content.octets, text.len);
	body = segments(f, &text);
	at = memmem(sk.der.p, sk.der.len, absent, sizeof(absent));
	ck_assert_ptr_nonnull(at);
	before = (size_t)(at - sk.der.p) + 11;
	put(&out, sk.der.p, before);
	put(&out, "\xa0\x80", 2);
	put(&out, &tag, 1);
	if (f->definite)
		put_length(&out, body.len);
	else
		put(&out, "\x80", 1);
	put(&out, body.p, body.len);
	put(&out, "\0\0\0\0\0\0", f->definite ? 4 : 6);
	put(&out, "\xa0\x80", 2);
	put(&out, sk.certs_der.p, sk.certs_der.len);
	put(&out, sk.der.p + before, sk.der.len - before);
	buf_clear(&body);
	cms_skeleton_clear(&sk);
	return out;
}

START_TEST(test_forms_signed)
{
	struct cms_signer s = {.cert = rsa.cert, .key = rsa.key};
	struct cms_verdict v;
	struct problem pr;
	struct buf der, other_form, got;

	fx_sign(&text, &s, ec.cert, &der);
	other_form = reform_signed(&der, &forms[_i]);
	ck_assert_msg(
	    fx_verify(other_form.p, other_form.len, NULL, &got, &v, &pr) == 0, "%s: %s", forms[_i].name, pr.text);
	ck_assert_msg(v.signers[0].ok, "%s: %s", forms[_i].name, v.signers[0].why);
	fx_same(&got, &text);
	cms_verdict_clear(&v);
	buf_clear(&got);
	/* no prefix of it is read */
	for (size_t n = 0; n < other_form.len; n += 11) {
		ck_assert_int_eq(fx_verify(other_form.p, n, NULL, &got, &v, &pr), -1);
		buf_clear(&got);
	}
	buf_clear(&other_form);
	buf_clear(&der);
}
END_TEST

START_TEST(test_base64_lines)
{
	/* base64 in lines of any length, with CRLF and LF ends, cut into writes of any size */
	static const size_t lengths[] = {1, 2, 3, 4, 5, 19, 60, 63, 64, 65, 72, 75, 76, 77, 998, 1 << 20};
	struct problem pr = {0};
	struct buf der, got;
	char *line;
	size_t len;

	fx_encrypt(&text, rsa.cert, CMS_KEY_RSA_V15, CMS_AES_256_CBC, &der);
	line = mem_new(4 * ((der.len + 2) / 3) + 1);
	len = encode_b64(der.p, der.len, line);
	for (size_t i = 0; i < 2 * sizeof(lengths) / sizeof(lengths[0]); i++) {
		size_t width = lengths[i / 2], step = i * 7 + 1;
		struct base64_dec dec;
		struct stream_buf to;
		struct buf b64, back;

		buf_init(&b64, FX_MAX);
		buf_init(&back, FX_MAX);
		stream_buf_init(&to, &back);
		for (size_t off = 0; off < len; off += width) {
			put(&b64, line + off, len - off < width ? len - off : width);
			put(&b64, &"\r\n"[i % 2], 2 - i % 2);
		}
		base64_dec_init(&dec, &to.writer);
		for (size_t off = 0; off < b64.len; off += step)
			ck_assert_int_eq(
			    stream_write(&dec.writer, b64.p + off, b64.len - off < step ? b64.len - off : step, &pr),
			    0);
		ck_assert_msg(base64_dec_end(&dec, &pr) == 0, "%s", pr.text);
		fx_same(&back, &der);
		ck_assert_msg(fx_decrypt(back.p, back.len, &rsa, &got, &pr) == 0, "%s", pr.text);
		fx_same(&got, &text);
		buf_clear(&got);
		buf_clear(&back);
		buf_clear(&b64);
	}
	free(line);
	buf_clear(&der);
}
END_TEST

START_TEST(test_truncated)
{
	/* no prefix gets past the outline, whatever form the message has */
	struct problem pr;
	struct cms_outline *o;
	struct buf der, b;

	fx_encrypt(&text, ec.cert, CMS_KEY_ECDH, _i == 0 ? CMS_AES_256_CBC : CMS_AES_256_GCM, &der);
	b = reform(&der, &forms[2], 0x80, _i == 0 ? 8 : 26);
	for (size_t n = 0; n < b.len; n++) {
		ck_assert_int_eq(outline(b.p, n, NULL, &o, &pr), -1);
		ck_assert_ptr_null(o);
		ck_assert_int_eq(pr.cls, PROBLEM_PERM);
		ck_assert_str_eq(pr.enh, "5.6.0");
	}
	buf_clear(&b);
	buf_clear(&der);
	der = openssl_encrypt(EVP_aes_128_cbc(), 0);
	for (size_t n = 0; n < der.len; n++)
		ck_assert_int_eq(outline(der.p, n, NULL, &o, &pr), -1);
	buf_clear(&der);
}
END_TEST

START_TEST(test_trailing)
{
	struct problem pr;
	struct buf b;

	fx_encrypt(&text, rsa.cert, CMS_KEY_RSA_V15, CMS_AES_256_CBC, &b);
	ck_assert_int_eq(outside(&b, &pr), 0);
	put(&b, "\r\n", 2);
	ck_assert_int_eq(outside(&b, &pr), -1);
	ck_assert_ptr_nonnull(strstr(pr.text, "2 octets follow"));
	buf_clear(&b);
}
END_TEST

START_TEST(test_refused_ciphers)
{
	static const struct {
		const char *name, *says;
	} t[] = {{"DES-EDE3-CBC", "3DES"}, {"CAMELLIA-256-CBC", "camellia-256-cbc"}, {"AES-256-CFB", "aes-256-cfb"},
	    {"AES-256-OFB", "aes-256-ofb"}, {"AES-192-CBC", NULL}, {"AES-128-CBC", NULL}, {"AES-256-CBC", NULL}};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct buf b = openssl_encrypt(EVP_get_cipherbyname(t[i].name), CMS_STREAM);
		struct problem pr;

		ck_assert_msg(outside(&b, &pr) == (t[i].says == NULL ? 0 : -1), "%s: %s", t[i].name, pr.text);
		if (t[i].says != NULL) {
			ck_assert_msg(strstr(pr.text, t[i].says) != NULL, "%s", pr.text);
			ck_assert_str_eq(pr.enh, "5.7.7");
			ck_assert_int_eq(pr.cls, PROBLEM_PERM);
		}
		buf_clear(&b);
	}
}
END_TEST

/* RC2 as RFC 4134 5.2 has it: its parameters are a SEQUENCE, and not GCM's. */
START_TEST(test_rc2)
{
	static const char aes[] = "\x06\x09\x60\x86\x48\x01\x65\x03\x04\x01\x2a\x04\x10"; /* and 16 octets */
	static const char rc2[] = "\x06\x08\x2a\x86\x48\x86\xf7\x0d\x03\x02\x30\x11\x02\x01\x3a\x04\x0c";
	struct problem pr;
	struct buf b;
	uint8_t *at;

	fx_encrypt(&text, rsa.cert, CMS_KEY_RSA_V15, CMS_AES_256_CBC, &b);
	at = memmem(b.p, b.len, aes, sizeof(aes) - 1);
	ck_assert_ptr_nonnull(at);
	memcpy(at, rc2, sizeof(rc2) - 1);
	ck_assert_int_eq(outside(&b, &pr), -1);
	ck_assert_msg(strstr(pr.text, "with RC2,") != NULL, "%s", pr.text);
	buf_clear(&b);
}
END_TEST

/* Finds `from` in the message, parameters of the cipher behind its identifier, and puts `to` of the same length
 * there. */
static void patch(struct buf *b, const char *from, const char *to, size_t n)
{
	uint8_t *aes = memmem(b->p, b->len, "\x60\x86\x48\x01\x65\x03\x04\x01", 8);
	uint8_t *start = from[0] == 0x02 ? aes : b->p;
	uint8_t *at = memmem(start, b->len - (size_t)(start - b->p), from, n);

	ck_assert_ptr_nonnull(at);
	memcpy(at, to, n);
}

START_TEST(test_patched)
{
	/* messages that say one thing and are another; the octets are those of the algorithm identifiers */
	static const struct {
		const char *name;
		enum cms_cipher cipher;
		const char *from, *to;
		size_t n;
		const char *says;
	} t[] = {
	    {"RC2", CMS_AES_256_CBC, "\x06\x09\x60\x86\x48\x01\x65\x03\x04\x01\x2a\x04\x10",
		"\x06\x08\x2a\x86\x48\x86\xf7\x0d\x03\x02\x04\x11\x00", 13, "with RC2,"},
	    {"DES", CMS_AES_256_CBC, "\x06\x09\x60\x86\x48\x01\x65\x03\x04\x01\x2a\x04\x10",
		"\x06\x05\x2b\x0e\x03\x02\x07\x04\x14\x00\x00\x00\x00", 13, "with DES,"},
	    {"GCM without a tag", CMS_AES_256_CBC, "\x03\x04\x01\x2a", "\x03\x04\x01\x2e", 4,
		"without its authentication tag"},
	    {"CBC called authenticated", CMS_AES_256_GCM, "\x03\x04\x01\x2e", "\x03\x04\x01\x2a", 4,
		"authenticated encryption"},
	    {"ICVlen 4", CMS_AES_256_GCM, "\x02\x01\x10", "\x02\x01\x04", 3, "announced with 4"},
	    {"ICVlen 12", CMS_AES_256_GCM, "\x02\x01\x10", "\x02\x01\x0c", 3, "announced with 12"},
	    {"a nonce of 15, no ICVlen", CMS_AES_256_GCM, "\x30\x11\x04\x0c", "\x30\x11\x04\x0f", 4,
		"nonce has 15 octets"},
	    {"ICVlen of 13", CMS_AES_256_GCM, "\x02\x01\x10", "\x02\x01\x0d", 3, "announced with 13"},
	    {"ICVlen of 0", CMS_AES_256_GCM, "\x02\x01\x10", "\x02\x01\x00", 3, "announced with 0"},
	    {"ICVlen of 255", CMS_AES_256_GCM, "\x02\x01\x10", "\x02\x01\xff", 3, "announced with 255"},
	    {"AuthEnvelopedData with CFB", CMS_AES_256_GCM, "\x03\x04\x01\x2e", "\x03\x04\x01\x2c", 4, "aes-256-cfb"},
	    {"AuthEnvelopedData with a key wrap", CMS_AES_256_GCM, "\x03\x04\x01\x2e", "\x03\x04\x01\x2d", 4,
		"id-aes256-wrap"},
	    {"AuthEnvelopedData with CCM", CMS_AES_256_GCM, "\x03\x04\x01\x2e", "\x03\x04\x01\x2f", 4, "ccm"},
	    {"content is not data", CMS_AES_256_CBC, "\xf7\x0d\x01\x07\x01", "\xf7\x0d\x01\x07\x02", 5,
		"something else than data"},
	    {"digested data", CMS_AES_256_CBC, "\xf7\x0d\x01\x07\x03", "\xf7\x0d\x01\x07\x05", 5,
		"S/MIME does not use"},
	    {"signed data that is none", CMS_AES_256_CBC, "\xf7\x0d\x01\x07\x03", "\xf7\x0d\x01\x07\x02", 5,
		"malformed"},
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct problem pr;
		struct buf b;

		fx_encrypt(&text, rsa.cert, CMS_KEY_RSA_V15, t[i].cipher, &b);
		patch(&b, t[i].from, t[i].to, t[i].n);
		ck_assert_msg(outside(&b, &pr) == -1, "%s", t[i].name);
		ck_assert_msg(strstr(pr.text, t[i].says) != NULL, "%s: %s", t[i].name, pr.text);
		ck_assert_int_eq(pr.cls, PROBLEM_PERM);
		buf_clear(&b);
	}
}
END_TEST

START_TEST(test_short_tag)
{
	/* the MAC is cut to n octets while ICVlen still says 16 */
	struct problem pr;
	struct buf b, cut;

	fx_encrypt(&text, rsa.cert, CMS_KEY_RSA_V15, CMS_AES_256_GCM, &b);
	for (uint8_t n = 0; n <= 17; n++) {
		uint8_t head[2] = {0x04, n}, mac[17] = {0};

		buf_init(&cut, FX_MAX);
		memcpy(mac, b.p + b.len - 6 - 16, 16);
		put(&cut, b.p, b.len - 6 - 18);
		put(&cut, head, 2);
		put(&cut, mac, n);
		put(&cut, b.p + b.len - 6, 6);
		ck_assert_int_eq(outside(&cut, &pr), n == 16 ? 0 : -1);
		if (n != 16)
			ck_assert_msg(strstr(pr.text, "tag is announced with 16") != NULL, "%s", pr.text);
		buf_clear(&cut);
	}
	buf_clear(&b);
}
END_TEST

START_TEST(test_no_content)
{
	struct problem pr;
	struct cms_skeleton sk;
	struct stream_mem in;
	struct buf b;

	/* the skeleton is the message without its content */
	fx_encrypt(&text, rsa.cert, CMS_KEY_RSA_V15, CMS_AES_256_CBC, &b);
	stream_mem_init(&in, b.p, b.len);
	ck_assert_int_eq(cms_skeleton_cut(&in.reader, &cms_limits_default, &sk, &pr), 0);
	ck_assert_int_eq(outside(&sk.der, &pr), -1);
	ck_assert_ptr_nonnull(strstr(pr.text, "no encrypted content"));
	cms_skeleton_clear(&sk);
	buf_clear(&b);
}
END_TEST

START_TEST(test_block_size)
{
	/* CBC content of 15, or no octets cannot be: 15 octets are put where the content was */
	static const size_t sizes[] = {0, 15, 16, 17, 32};
	struct problem pr;
	struct cms_skeleton sk;
	struct stream_mem in;
	struct buf b, out;

	fx_encrypt(&text, rsa.cert, CMS_KEY_RSA_V15, CMS_AES_256_CBC, &b);
	stream_mem_init(&in, b.p, b.len);
	ck_assert_int_eq(cms_skeleton_cut(&in.reader, &cms_limits_default, &sk, &pr), 0);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		uint8_t head[2] = {0x80, (uint8_t)sizes[i]};

		buf_init(&out, FX_MAX);
		put(&out, sk.der.p, sk.der.len - 8);
		put(&out, head, 2);
		put(&out, text.p, sizes[i]);
		put(&out, sk.der.p + sk.der.len - 8, 8);
		ck_assert_int_eq(outside(&out, &pr), sizes[i] > 0 && sizes[i] % 16 == 0 ? 0 : -1);
		buf_clear(&out);
	}
	cms_skeleton_clear(&sk);
	buf_clear(&b);
}
END_TEST

START_TEST(test_kinds)
{
	/* CompressedData that is not zlib's (id-alg 1.2.3) and something unknown are outlined, then refused with a
	 * sentence */
	static const uint8_t compressed[] = {0x30, 0x30, 0x06, 0x0b, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09,
	    0x10, 0x01, 0x09, 0xa0, 0x21, 0x30, 0x1f, 0x02, 0x01, 0x00, 0x30, 0x04, 0x06, 0x02, 0x2a, 0x03, 0x30,
	    0x14, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01, 0xa0, 0x07, 0x24, 0x05, 0x04,
	    0x03, 'a', 'b', 'c'};
	static const uint8_t unknown[] = {0x30, 0x08, 0x06, 0x02, 0x2a, 0x03, 0xa0, 0x02, 0x05, 0x00};
	static const uint8_t no_content[] = {0x30, 0x04, 0x06, 0x02, 0x2a, 0x03};
	struct problem pr;
	struct cms_outline *o;
	X509 *certs[1];

	certs[0] = rsa.cert;
	ck_assert_msg(outline(compressed, sizeof(compressed), NULL, &o, &pr) == 0, "%s", pr.text);
	ck_assert_int_eq(cms_outline_kind(o), CMS_KIND_COMPRESSED);
	ck_assert_int_eq(cms_outline_check(o, &pr), -1);
	ck_assert_ptr_nonnull(strstr(pr.text, "compressed with 1.2.3"));
	ck_assert(cms_outline_has_content(o));
	ck_assert_int_eq(cms_outline_find(o, certs, 1), -1);
	cms_outline_free(o);
	ck_assert_int_eq(outline(unknown, sizeof(unknown), NULL, &o, &pr), 0);
	ck_assert_int_eq(cms_outline_kind(o), CMS_KIND_OTHER);
	ck_assert_int_eq(cms_outline_check(o, &pr), -1);
	ck_assert_ptr_nonnull(strstr(pr.text, "1.2.3"));
	cms_outline_free(o);
	ck_assert_int_eq(outline(no_content, sizeof(no_content), NULL, &o, &pr), -1);
	ck_assert_ptr_nonnull(strstr(pr.text, "content is missing"));
}
END_TEST

START_TEST(test_find)
{
	struct cms_recipient r[] = {
	    {.cert = rsa.cert, .mode = CMS_KEY_RSA_V15}, {.cert = ec.cert, .mode = CMS_KEY_ECDH}};
	X509 *certs[] = {other.cert, ec.cert, rsa.cert};
	struct problem pr = {0};
	struct stream_buf to;
	struct cms_outline *o;
	struct cms_enc *e;
	struct buf b;

	buf_init(&b, FX_MAX);
	stream_buf_init(&to, &b);
	e = cms_enc_new(r, 2, CMS_AES_256_CBC, &to.writer, &pr);
	ck_assert_ptr_nonnull(e);
	ck_assert_int_eq(stream_write(cms_enc_writer(e), text.p, text.len, &pr), 0);
	ck_assert_int_eq(cms_enc_end(e, &pr), 0);
	ck_assert_int_eq(outline(b.p, b.len, NULL, &o, &pr), 0);
	ck_assert_uint_eq(cms_outline_recipients(o), 2);
	ck_assert_int_eq(cms_outline_find(o, certs, 3), 1);
	ck_assert_int_eq(cms_outline_find(o, certs + 2, 1), 0);
	ck_assert_int_eq(cms_outline_find(o, certs, 1), -1);
	ck_assert_int_eq(cms_outline_find(o, certs, 0), -1);
	cms_outline_free(o);
	buf_clear(&b);
}
END_TEST

START_TEST(test_find_by_ski)
{
	/* openssl cms -keyid names recipients by subject key identifier */
	struct problem pr;
	struct cms_outline *o;
	struct buf b, got;
	char dir[64], line[200];
	const char *name = _i == 0 ? "rsa" : "ec";
	struct fx_id *id = _i == 0 ? &rsa : &ec;
	X509 *certs[] = {other.cert, id->cert};

	fx_dir(dir);
	fx_put(dir, "text", &text);
	snprintf(line, sizeof(line),
	    "cms -encrypt -binary -aes256 -keyid -outform DER -in %%D/text -out %%D/in -recip tests/data/cms/%s.pem",
	    name);
	ck_assert_int_eq(fx_openssl(dir, line), 0);
	b = fx_get(dir, "in");
	ck_assert_int_eq(outline(b.p, b.len, NULL, &o, &pr), 0);
	ck_assert_int_eq(cms_outline_find(o, certs, 2), 1);
	cms_outline_free(o);
	ck_assert_msg(fx_decrypt(b.p, b.len, id, &got, &pr) == 0, "%s", pr.text);
	fx_same(&got, &text);
	fx_remove(dir);
	buf_clear(&got);
	buf_clear(&b);
}
END_TEST

START_TEST(test_key_hash)
{
	uint8_t hash[32], again[32], want[32];
	struct problem pr;
	struct cms_outline *o;
	struct buf b;

	fx_encrypt(&text, rsa.cert, CMS_KEY_RSA_V15, CMS_AES_256_CBC, &b);
	ck_assert_int_eq(outline(b.p, b.len, NULL, &o, &pr), 0);
	ck_assert_int_eq(cms_outline_key_hash(o, other.cert, hash), -1);
	ck_assert_int_eq(cms_outline_key_hash(o, rsa.cert, hash), 0);
	ck_assert_int_eq(cms_outline_key_hash(o, rsa.cert, again), 0);
	ck_assert_mem_eq(hash, again, 32);
	/* the 256 octets behind the header of the only octet string of 256 octets */
	SHA256((uint8_t *)memmem(b.p, b.len, "\x04\x82\x01\x00", 4) + 4, 256, want);
	ck_assert_mem_eq(hash, want, 32);
	cms_outline_free(o);
	buf_clear(&b);
	fx_encrypt(&text, ec.cert, CMS_KEY_ECDH, CMS_AES_256_CBC, &b);
	ck_assert_int_eq(outline(b.p, b.len, NULL, &o, &pr), 0);
	ck_assert_int_eq(cms_outline_key_hash(o, ec.cert, hash), 0);
	ck_assert(memcmp(hash, again, 32) != 0);
	cms_outline_free(o);
	buf_clear(&b);
	fx_encrypt(&text, ec.cert, CMS_KEY_ECDH, CMS_AES_256_CBC, &b);
	ck_assert_int_eq(outline(b.p, b.len, NULL, &o, &pr), 0);
	ck_assert_int_eq(cms_outline_key_hash(o, ec.cert, again), 0);
	ck_assert(memcmp(hash, again, 32) != 0);
	cms_outline_free(o);
	buf_clear(&b);
}
END_TEST

START_TEST(test_limits)
{
	struct cms_limits lim = cms_limits_default;
	struct cms_recipient r[] = {{.cert = rsa.cert, .mode = CMS_KEY_RSA_V15},
	    {.cert = other.cert, .mode = CMS_KEY_RSA_V15}, {.cert = ec.cert, .mode = CMS_KEY_ECDH}};
	struct problem pr = {0};
	struct stream_buf to;
	struct cms_outline *o;
	struct cms_enc *e;
	struct buf b;

	buf_init(&b, FX_MAX);
	stream_buf_init(&to, &b);
	e = cms_enc_new(r, 3, CMS_AES_256_CBC, &to.writer, &pr);
	ck_assert_ptr_nonnull(e);
	ck_assert_int_eq(stream_write(cms_enc_writer(e), text.p, text.len, &pr), 0);
	ck_assert_int_eq(cms_enc_end(e, &pr), 0);
	lim.recipients = 2;
	ck_assert_int_eq(outline(b.p, b.len, &lim, &o, &pr), -1);
	ck_assert_ptr_nonnull(strstr(pr.text, "more than 2 recipients"));
	lim = cms_limits_default;
	lim.nesting = 5;
	ck_assert_int_eq(outline(b.p, b.len, &lim, &o, &pr), -1);
	ck_assert_ptr_nonnull(strstr(pr.text, "nested"));
	lim = cms_limits_default;
	lim.elements = 1;
	ck_assert_int_eq(outline(b.p, b.len, &lim, &o, &pr), -1);
	ck_assert_ptr_nonnull(strstr(pr.text, "segments"));
	for (lim = cms_limits_default, lim.skeleton = 1; lim.skeleton < 500; lim.skeleton++) {
		ck_assert_int_eq(outline(b.p, b.len, &lim, &o, &pr), -1);
		ck_assert_msg(strstr(pr.text, "larger than") != NULL, "%s", pr.text);
	}
	lim.skeleton = 4000;
	ck_assert_msg(outline(b.p, b.len, &lim, &o, &pr) == 0, "%s", pr.text);
	cms_outline_free(o);
	buf_clear(&b);
}
END_TEST

START_TEST(test_place)
{
	/* the sentence says where: an unknown element in place of recipientInfos */
	struct problem pr;
	struct cms_outline *o;
	static const uint8_t bad[] = {0x30, 0x14, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x03,
	    0xa0, 0x07, 0x30, 0x05, 0x02, 0x01, 0x00, 0x04, 0x00};

	ck_assert_int_eq(outline(bad, sizeof(bad), NULL, &o, &pr), -1);
	ck_assert_str_eq(pr.text,
	    "The CMS structure is malformed: content: EnvelopedData: octet 20: tag 0x04 where recipientInfos "
	    "belongs.");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("cms_outline");
	TCase *t = tcase_create("all");

	tcase_add_checked_fixture(t, setup, fx_keys_teardown);
	tcase_set_timeout(t, 120);
	tcase_add_loop_test(t, test_forms, 0, (int)(sizeof(forms) / sizeof(forms[0])));
	tcase_add_loop_test(t, test_forms_signed, 0, (int)(sizeof(forms) / sizeof(forms[0])));
	tcase_add_test(t, test_base64_lines);
	tcase_add_loop_test(t, test_truncated, 0, 2);
	tcase_add_test(t, test_trailing);
	tcase_add_test(t, test_refused_ciphers);
	tcase_add_test(t, test_rc2);
	tcase_add_test(t, test_patched);
	tcase_add_test(t, test_short_tag);
	tcase_add_test(t, test_no_content);
	tcase_add_test(t, test_block_size);
	tcase_add_test(t, test_kinds);
	tcase_add_test(t, test_find);
	tcase_add_loop_test(t, test_find_by_ski, 0, 2);
	tcase_add_test(t, test_key_hash);
	tcase_add_test(t, test_limits);
	tcase_add_test(t, test_place);
	suite_add_tcase(s, t);
	return suite_run(s);
}
