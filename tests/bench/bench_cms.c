/*
 * What sealing and opening cost in CPU over the bare cryptography they cannot do without, in one process, one after
 * the other in each round so that the machine's drift strikes both. bench_cms [ROUNDS [NAME]] prints, one line a
 * figure, `name value unit`:
 *
 *   seal_cpu_over_raw_20k, _1m     entity -> sign -> base64 -> encrypt -> base64, over: SHA-256 of the entity, one
 *                                  RSA-2048 signature, AES-256-CBC over what is encrypted, one RSA-2048 encryption
 *   open_cpu_over_raw_20k, _25m    outline -> decrypt, outline -> verify, over: one RSA-2048 decryption, AES-256-CBC
 *                                  decryption of the same octets, SHA-256, one verification
 *   open_way_over_raw_20k, _25m    the whole way of the sealer over the same: base64 -> outline -> decrypt -> entity
 *                                  -> base64 -> outline -> verify, with scratch spools (sealed with AES-256-GCM)
 *                                  between them
 *   open_100m_cms_cpu_s            decrypt and verify of 100 MiB, seconds
 *   open_100m_cpu_s                the whole way of 100 MiB, seconds
 *
 * Keys are in the process (the keeper's part is the same on both sides), certificates are parsed.
 */
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/cms/base64.h"
#include "gateway/cms/cms.h"
#include "gateway/mail/mime.h"
#include "gateway/queue/spool.h"

enum { ROUNDS_MAX = 101, MEMORY = 512 * 1024, KEEP = 640 << 20 };

struct id {
	X509 *cert;
	EVP_PKEY *key;
};
static struct {
	struct id sender, partner;
	EVP_MD *sha256;
	EVP_CIPHER *cbc;
	const char *only; /* one figure, NULL all */
} b;

static double cpu_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void must(bool good, const char *what)
{
	if (!good)
		log_fatal("bench_cms: %s failed", what);
}

static void must_pr(int err, const struct problem *pr)
{
	if (err != 0)
		log_fatal("bench_cms: %s", pr->text);
}

static struct id id_new(const char *name, long serial)
{
	struct id i = {X509_new(), EVP_RSA_gen(2048)};
	X509_NAME *n = X509_get_subject_name(i.cert);

	must(i.key != NULL, "key");
	X509_NAME_add_entry_by_txt(n, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0);
	X509_set_version(i.cert, 2);
	X509_set_issuer_name(i.cert, n);
	ASN1_INTEGER_set(X509_get_serialNumber(i.cert), serial);
	X509_gmtime_adj(X509_getm_notBefore(i.cert), -3600);
	X509_gmtime_adj(X509_getm_notAfter(i.cert), 86400);
	X509_set_pubkey(i.cert, i.key);
	must(X509_sign(i.cert, i.key, EVP_sha256()) > 0, "certificate");
	return i;
}

/* ---- where output goes ---- */

struct nowhere {
	struct writer writer;
	uint64_t n;
};

static int nowhere_write(struct writer *w, const void *p, size_t n, struct problem *pr)
{
	(void)p;
	(void)pr;
	((struct nowhere *)w)->n += n;
	return 0;
}

static void entity_make(struct buf *to, size_t size)
{
	static const char head[] =
	    "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n";
	static const char line[] = "The result of the examination is in the attachment; please acknowledge.\r\n";

	buf_init(to, KEEP);
	must(buf_add(to, head, sizeof(head) - 1) == 0, "memory");
	while (to->len < size)
		must(buf_add(to, line, sizeof(line) - 1) == 0, "memory");
}

/* ---- ours ---- */

static const char fields[] = "Content-Type: application/pkcs7-mime; smime-type=signed-data; name=\"smime.p7m\"\r\n"
			     "Content-Transfer-Encoding: base64\r\n"
			     "Content-Disposition: attachment; filename=\"smime.p7m\"\r\n\r\n";

/* The way of pipeline/seal.c. */
static void seal(const struct buf *entity, struct writer *out)
{
	struct cms_signer s = {.cert = b.sender.cert, .key = b.sender.key};
	struct cms_recipient r = {.cert = b.partner.cert, .mode = CMS_KEY_RSA_V15};
	struct base64_enc outer, inner;
	struct problem pr = {0};
	struct stream_mem in;
	struct cms_enc *e;

	stream_mem_init(&in, entity->p, entity->len);
	base64_enc_init(&outer, out);
	e = cms_enc_new(&r, 1, CMS_AES_256_CBC, &outer.writer, &pr);
	must_pr(e == NULL ? -1 : 0, &pr);
	must_pr(stream_write(cms_enc_writer(e), fields, sizeof(fields) - 1, &pr), &pr);
	base64_enc_init(&inner, cms_enc_writer(e));
	must_pr(cms_sign(&in.reader, &s, NULL, &inner.writer, &pr), &pr);
	must_pr(base64_enc_end(&inner, &pr), &pr);
	must_pr(cms_enc_end(e, &pr), &pr);
	must_pr(base64_enc_end(&outer, &pr), &pr);
}

static struct spool *scratch(int fd)
{
	uint8_t key[SPOOL_KEY];

	RAND_bytes(key, sizeof(key));
	return spool_new(key, MEMORY, -1, fd, (uint64_t)KEEP);
}

static void decode(struct reader *r, uint64_t off, uint64_t len, struct spool *to)
{
	struct base64_dec d;
	struct problem pr = {0};

	base64_dec_init(&d, spool_writer(to));
	must_pr(stream_copy(r, off, len, &d.writer, &pr), &pr);
	must_pr(base64_dec_end(&d, &pr), &pr);
	must_pr(spool_finish(to, &pr), &pr);
}

/* The way of pipeline/layers.c. fds: its two scratch files, or -1. */
static void open_sealed(struct reader *sealed, const int fds[2])
{
	struct spool *der = scratch(fds[0]), *plain = scratch(fds[1]), *content;
	struct cms_outline *o;
	struct cms_verdict v;
	struct mime_entity ent;
	struct arena *a = arena_new(1 << 20);
	struct problem pr = {0};

	decode(sealed, 0, sealed->size, der);
	must_pr(cms_outline(spool_reader(der), NULL, &o, &pr), &pr);
	must_pr(cms_outline_check(o, &pr), &pr);
	must_pr(cms_decrypt(o, b.partner.cert, b.partner.key, NULL, spool_writer(plain), &pr), &pr);
	must_pr(spool_finish(plain, &pr), &pr);
	cms_outline_free(o);
	must_pr(mime_entity_read(a, spool_reader(plain), 0, spool_size(plain), &mime_limits_default, &ent, &pr), &pr);
	spool_free(der);
	der = scratch(fds[0]);
	decode(spool_reader(plain), ent.body_off, ent.body_len, der);
	must_pr(cms_outline(spool_reader(der), NULL, &o, &pr), &pr);
	spool_free(plain);
	content = scratch(fds[1]);
	must_pr(cms_verify(o, NULL, spool_writer(content), &v, &pr), &pr);
	must(v.nsigners == 1 && v.signers[0].ok, "signature");
	must_pr(spool_finish(content, &pr), &pr);
	cms_verdict_clear(&v);
	cms_outline_free(o);
	spool_free(der);
	spool_free(content);
	for (int i = 0; i < 2; i++) /* every message is given empty ones */
		must(fds[i] < 0 || ftruncate(fds[i], 0) == 0, "emptying a scratch file");
	arena_free(a);
}

/* CMS alone: both structures stand in memory, what comes out goes nowhere. */
static void open_cms(const struct buf *enveloped, const struct buf *with_signature)
{
	struct nowhere none = {.writer.write = nowhere_write};
	struct cms_outline *o;
	struct cms_verdict v;
	struct problem pr = {0};
	struct stream_mem in;

	stream_mem_init(&in, enveloped->p, enveloped->len);
	must_pr(cms_outline(&in.reader, NULL, &o, &pr), &pr);
	must_pr(cms_outline_check(o, &pr), &pr);
	must_pr(cms_decrypt(o, b.partner.cert, b.partner.key, NULL, &none.writer, &pr), &pr);
	cms_outline_free(o);
	stream_mem_init(&in, with_signature->p, with_signature->len);
	must_pr(cms_outline(&in.reader, NULL, &o, &pr), &pr);
	must_pr(cms_verify(o, NULL, &none.writer, &v, &pr), &pr);
	must(v.nsigners == 1 && v.signers[0].ok, "signature");
	cms_verdict_clear(&v);
	cms_outline_free(o);
}

/* ---- the bare cryptography ---- */

struct raw {
	const struct buf *entity;
	size_t encrypted; /* octets that the cipher sees */
	uint8_t md[32], sig[256], wrapped[256], key[32];
	size_t nsig, nwrapped;
	uint8_t *work;
};

static void cipher(struct raw *r, int encrypt)
{
	uint8_t iv[16] = {0};
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int n;

	must(EVP_CipherInit_ex2(ctx, b.cbc, r->key, iv, encrypt, NULL) == 1, "cipher");
	EVP_CIPHER_CTX_set_padding(ctx, 0);
	for (size_t off = 0; off < r->encrypted; off += 16384) {
		size_t left = r->encrypted - off;

		must(EVP_CipherUpdate(
			 ctx, r->work, &n, r->work + 16384, left < 16384 ? (int)(left & ~15ul) : 16384) == 1,
		    "cipher");
	}
	EVP_CIPHER_CTX_free(ctx);
}

static EVP_PKEY_CTX *pkey(EVP_PKEY *k, int (*init)(EVP_PKEY_CTX *))
{
	EVP_PKEY_CTX *c = EVP_PKEY_CTX_new(k, NULL);

	must(init(c) == 1 && EVP_PKEY_CTX_set_rsa_padding(c, RSA_PKCS1_PADDING) == 1, "key");
	return c;
}

static void raw_seal(struct raw *r)
{
	EVP_PKEY_CTX *c;

	must(EVP_Digest(r->entity->p, r->entity->len, r->md, NULL, b.sha256, NULL) == 1, "digest");
	c = pkey(b.sender.key, EVP_PKEY_sign_init);
	must(EVP_PKEY_CTX_set_signature_md(c, b.sha256) == 1, "digest");
	r->nsig = sizeof(r->sig);
	must(EVP_PKEY_sign(c, r->sig, &r->nsig, r->md, 32) == 1, "signature");
	EVP_PKEY_CTX_free(c);
	cipher(r, 1);
	c = pkey(X509_get0_pubkey(b.partner.cert), EVP_PKEY_encrypt_init);
	r->nwrapped = sizeof(r->wrapped);
	must(EVP_PKEY_encrypt(c, r->wrapped, &r->nwrapped, r->key, 32) == 1, "encryption");
	EVP_PKEY_CTX_free(c);
}

static void raw_open(struct raw *r)
{
	uint8_t key[256];
	size_t n = sizeof(key);
	EVP_PKEY_CTX *c = pkey(b.partner.key, EVP_PKEY_decrypt_init);

	must(EVP_PKEY_decrypt(c, key, &n, r->wrapped, r->nwrapped) == 1, "decryption");
	EVP_PKEY_CTX_free(c);
	cipher(r, 0);
	must(EVP_Digest(r->entity->p, r->entity->len, r->md, NULL, b.sha256, NULL) == 1, "digest");
	c = pkey(X509_get0_pubkey(b.sender.cert), EVP_PKEY_verify_init);
	must(EVP_PKEY_CTX_set_signature_md(c, b.sha256) == 1, "digest");
	must(EVP_PKEY_verify(c, r->sig, r->nsig, r->md, 32) == 1, "signature");
	EVP_PKEY_CTX_free(c);
}

/* ---- figures ---- */

static int by_value(const void *x, const void *y)
{
	double p = *(const double *)x, q = *(const double *)y;

	return p < q ? -1 : p > q;
}

/* One value a round; the caller takes medians. */
static void print(const char *name, double *v, int n, const char *unit)
{
	for (int i = 0; i < n; i++)
		printf("%s %.4g %s\n", name, v[i], unit);
	qsort(v, (size_t)n, sizeof(*v), by_value);
	fprintf(stderr, "  %s: median %.3f\n", name, v[n / 2]);
	fflush(stdout);
}

struct sample {
	struct buf entity, sealed, enveloped, with_signature;
	struct raw raw;
	int fds[2];
};

static void sample_make(struct sample *s, size_t size)
{
	struct stream_buf to;
	struct nowhere none = {.writer.write = nowhere_write};
	struct base64_enc enc;
	struct base64_dec dec;
	struct problem pr = {0};
	struct stream_mem in;
	struct cms_signer who = {.cert = b.sender.cert, .key = b.sender.key};

	memset(s, 0, sizeof(*s));
	entity_make(&s->entity, size);
	buf_init(&s->sealed, KEEP);
	buf_init(&s->enveloped, KEEP);
	buf_init(&s->with_signature, KEEP);
	stream_buf_init(&to, &s->sealed);
	seal(&s->entity, &to.writer);
	stream_buf_init(&to, &s->enveloped);
	base64_dec_init(&dec, &to.writer);
	must_pr(stream_write(&dec.writer, s->sealed.p, s->sealed.len, &pr), &pr);
	must_pr(base64_dec_end(&dec, &pr), &pr);
	stream_mem_init(&in, s->entity.p, s->entity.len);
	stream_buf_init(&to, &s->with_signature);
	must_pr(cms_sign(&in.reader, &who, NULL, &to.writer, &pr), &pr);
	base64_enc_init(&enc, &none.writer);
	must_pr(stream_write(&enc.writer, s->with_signature.p, s->with_signature.len, &pr), &pr);
	must_pr(base64_enc_end(&enc, &pr), &pr);
	s->raw.entity = &s->entity;
	s->raw.encrypted = none.n + sizeof(fields);
	s->raw.work = mem_new(32768);
	raw_seal(&s->raw);
	for (int i = 0; i < 2; i++)
		s->fds[i] = size > MEMORY / 4 ? memfd_create("scratch", MFD_CLOEXEC) : -1;
}

static void sample_clear(struct sample *s)
{
	buf_clear(&s->entity);
	buf_clear(&s->sealed);
	buf_clear(&s->enveloped);
	buf_clear(&s->with_signature);
	free(s->raw.work);
	for (int i = 0; i < 2; i++)
		if (s->fds[i] >= 0)
			close(s->fds[i]);
}

enum what { RAW_SEAL, RAW_OPEN, SEAL, OPEN_CMS, OPEN_WAY };

static double cost(struct sample *s, enum what what, int times)
{
	struct nowhere none = {.writer.write = nowhere_write};
	struct stream_mem in;
	double began = cpu_s();

	stream_mem_init(&in, s->sealed.p, s->sealed.len);
	for (int i = 0; i < times; i++)
		switch (what) {
		case RAW_SEAL:
			raw_seal(&s->raw);
			break;
		case RAW_OPEN:
			raw_open(&s->raw);
			break;
		case SEAL:
			seal(&s->entity, &none.writer);
			break;
		case OPEN_CMS:
			open_cms(&s->enveloped, &s->with_signature);
			break;
		case OPEN_WAY:
			open_sealed(&in.reader, s->fds);
			break;
		}
	return cpu_s() - began;
}

static void figure(const char *name, size_t size, enum what raw, enum what ours, int times, int rounds)
{
	struct sample s;
	double ratio[ROUNDS_MAX];

	if (b.only != NULL && strcmp(b.only, name) != 0)
		return;
	sample_make(&s, size);
	for (int i = 0; i < rounds; i++) {
		double bare = cost(&s, raw, times);

		ratio[i] = cost(&s, ours, times) / bare;
	}
	print(name, ratio, rounds, "x");
	sample_clear(&s);
}

static void open_100m(const char *name, enum what what, int rounds)
{
	struct sample s;
	double seconds[ROUNDS_MAX];

	if (b.only != NULL && strcmp(b.only, name) != 0)
		return;
	sample_make(&s, 100u << 20);
	for (int i = 0; i < rounds; i++)
		seconds[i] = cost(&s, what, 1);
	print(name, seconds, rounds, "s");
	sample_clear(&s);
}

int main(int argc, char **argv)
{
	int rounds = argc > 1 ? atoi(argv[1]) : 5;

	if (rounds < 1 || rounds > ROUNDS_MAX)
		return 2;
	log_init("bench_cms", LOG_LEVEL_ERROR);
	b.sender = id_new("sender", 1);
	b.partner = id_new("partner", 2);
	b.sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	b.cbc = EVP_CIPHER_fetch(NULL, "AES-256-CBC", NULL);
	b.only = argc > 2 ? argv[2] : NULL;
	figure("seal_cpu_over_raw_20k", 20 * 1024, RAW_SEAL, SEAL, 200, rounds);
	figure("seal_cpu_over_raw_1m", 1 << 20, RAW_SEAL, SEAL, 20, rounds);
	figure("open_cpu_over_raw_20k", 20 * 1024, RAW_OPEN, OPEN_CMS, 200, rounds);
	figure("open_cpu_over_raw_25m", 25 << 20, RAW_OPEN, OPEN_CMS, 2, rounds);
	figure("open_way_over_raw_20k", 20 * 1024, RAW_OPEN, OPEN_WAY, 200, rounds);
	figure("open_way_over_raw_25m", 25 << 20, RAW_OPEN, OPEN_WAY, 2, rounds);
	open_100m("open_100m_cms_cpu_s", OPEN_CMS, rounds);
	open_100m("open_100m_cpu_s", OPEN_WAY, rounds);
	return 0;
}
