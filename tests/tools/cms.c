/*
 * The gateway's own CMS on the command line, for the tests with other programs (tests/peers): signs, encrypts,
 * decrypts, verifies, unpacks, and asks whether a signer's path leads to an anchor. DER or BER on standard input and
 * output; no MIME.
 *
 *   cms VERB [name=value ...]
 *
 * Exit 0 done, 1 refused or failed (the sentence is on standard error), 2 wrong use. Facts go to standard error, one
 * a line, fields parted by tabs.
 */
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "certstore/cert.h"
#include "certstore/revoke.h"
#include "certstore/revoke_crl.h"
#include "certstore/trust.h"
#include "gateway/base/buf.h"
#include "gateway/base/file.h"
#include "gateway/cms/cms.h"

enum { OCTETS_MAX = 256 << 20, LIST_MAX = 64, LISTS_MAX = 256 };

struct list {
	X509 *v[LIST_MAX];
	size_t n;
};

struct options {
	const char *cert, *key, *digest, *cipher, *keys, *content, *enc_cert;
	bool detached, pss, ski, domain;
	struct list rcpts, anchors, chain;
	X509_CRL *lists[LISTS_MAX];
	size_t nlists;
};

static void die(int status, const char *what, const char *detail)
{
	fprintf(stderr, "cms: %s%s%s\n", what, detail[0] ? ": " : "", detail);
	_exit(status);
}

static void must(int r, const struct problem *pr)
{
	if (r == -1)
		die(1, pr->text, "");
}

static struct buf read_file(const char *path)
{
	struct problem pr = {0};
	struct buf b;

	buf_init(&b, OCTETS_MAX);
	must(file_read(path, &b, &pr), &pr);
	return b;
}

static struct buf read_input(void)
{
	struct problem pr = {0};
	struct buf b;

	buf_init(&b, OCTETS_MAX);
	must(file_read_fd(STDIN_FILENO, &b, &pr), &pr);
	return b;
}

static void put_output(const struct buf *b)
{
	if ((b->len > 0 && fwrite(b->p, 1, b->len, stdout) != b->len) || fflush(stdout) != 0)
		die(1, "standard output failed", "");
}

/* All certificates of a file, whatever its form. */
static void add_certs(struct list *l, const char *path)
{
	struct problem pr = {0};
	struct buf b = read_file(path);
	int n = cert_read_any(b.p, b.len, l->v + l->n, LIST_MAX - l->n, &pr);

	must(n, &pr);
	l->n += (size_t)n;
	buf_clear(&b);
}

static X509 *one_cert(const char *path)
{
	struct list l = {.n = 0};

	if (path == NULL)
		die(2, "a certificate is needed", "cert=FILE");
	add_certs(&l, path);
	return l.v[0];
}

static EVP_PKEY *one_key(const char *path)
{
	FILE *f = path ? fopen(path, "r") : NULL;
	EVP_PKEY *k = f ? PEM_read_PrivateKey(f, NULL, NULL, NULL) : NULL;

	if (k == NULL)
		die(2, "a private key in PEM is needed", path ? path : "key=FILE");
	fclose(f);
	return k;
}

/* ---- options ---- */

static bool take_text(struct options *o, const char *name, const char *value)
{
	const struct {
		const char *name, **to;
	} texts[] = {{"cert", &o->cert}, {"key", &o->key}, {"digest", &o->digest}, {"cipher", &o->cipher},
	    {"keys", &o->keys}, {"content", &o->content}, {"enc-cert", &o->enc_cert}};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (strcmp(texts[i].name, name) == 0) {
			*texts[i].to = value;
			return true;
		}
	}
	return false;
}

static bool take_flag(struct options *o, const char *name, const char *value)
{
	const struct {
		const char *name;
		bool *to;
	} flags[] = {{"detached", &o->detached}, {"pss", &o->pss}, {"ski", &o->ski}, {"domain", &o->domain}};

	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		if (strcmp(flags[i].name, name) == 0) {
			*flags[i].to = strcmp(value, "yes") == 0;
			return true;
		}
	}
	return false;
}

static void add_crl(struct options *o, const char *path)
{
	struct buf b = read_file(path);
	struct revoke_list facts = {.url = NULL};

	if (o->nlists == LISTS_MAX)
		die(2, "too many lists", path);
	o->lists[o->nlists] = revoke_crl_read(b.p, b.len, &facts);
	if (o->lists[o->nlists] != NULL) /* one that cannot be used is passed over, as one that was fetched is */
		o->nlists++;
	buf_clear(&b);
}

static bool take_list(struct options *o, const char *name, const char *value)
{
	struct list *l = strcmp(name, "rcpt") == 0     ? &o->rcpts
			 : strcmp(name, "anchor") == 0 ? &o->anchors
			 : strcmp(name, "chain") == 0  ? &o->chain
						       : NULL;

	if (l != NULL)
		add_certs(l, value);
	if (l != NULL || strcmp(name, "crl") != 0)
		return l != NULL;
	add_crl(o, value);
	return true;
}

static void read_options(struct options *o, char **words)
{
	for (; *words != NULL; words++) {
		char *eq = strchr(*words, '=');

		if (eq == NULL)
			die(2, "name=value is expected", *words);
		*eq = '\0';
		if (!take_text(o, *words, eq + 1) && !take_flag(o, *words, eq + 1) && !take_list(o, *words, eq + 1))
			die(2, "unknown option", *words);
	}
}

/* ---- writing ---- */

static void do_sign(struct options *o)
{
	struct cms_signer s = {.cert = one_cert(o->cert),
	    .key = one_key(o->key),
	    .digest = o->digest,
	    .domain = o->domain,
	    .pss = o->pss,
	    .ski = o->ski};
	X509 *enc_cert = o->enc_cert ? one_cert(o->enc_cert) : NULL;
	struct problem pr = {0};
	struct buf in = read_input(), out;
	struct stream_mem from;
	struct stream_buf to;
	const char *micalg = "";

	buf_init(&out, OCTETS_MAX);
	stream_mem_init(&from, in.p, in.len);
	stream_buf_init(&to, &out);
	s.chain = sk_X509_new_null();
	for (size_t i = 0; i < o->chain.n; i++)
		if (!sk_X509_push(s.chain, o->chain.v[i]))
			die(1, "out of memory", "");
	must(o->detached ? cms_sign_detached(&from.reader, &s, enc_cert, &to.writer, &micalg, &pr)
			 : cms_sign(&from.reader, &s, enc_cert, &to.writer, &pr),
	    &pr);
	fprintf(stderr, "micalg\t%s\n", micalg);
	put_output(&out);
	sk_X509_free(s.chain);
}

static int word_of(const char *const *words, size_t n, const char *word, const char *what)
{
	for (size_t i = 0; word != NULL && i < n; i++)
		if (strcmp(words[i], word) == 0)
			return (int)i;
	die(2, what, word ? word : "nothing said");
	return -1;
}

static void do_encrypt(struct options *o)
{
	static const char *const ciphers[] = {[CMS_AES_256_CBC] = "aes-256-cbc",
	    [CMS_AES_128_CBC] = "aes-128-cbc",
	    [CMS_AES_256_GCM] = "aes-256-gcm",
	    [CMS_AES_128_GCM] = "aes-128-gcm",
	    [CMS_AES_192_CBC] = "aes-192-cbc",
	    [CMS_AES_192_GCM] = "aes-192-gcm"};
	static const char *const modes[] = {[CMS_KEY_RSA_V15] = "v15",
	    [CMS_KEY_RSA_OAEP_SHA256] = "oaep-sha256",
	    [CMS_KEY_ECDH] = "ecdh",
	    [CMS_KEY_RSA_OAEP_SHA1] = "oaep-sha1"};
	enum cms_cipher cipher = (enum cms_cipher)word_of(ciphers, 6, o->cipher, "cipher=");
	enum cms_keymode mode = (enum cms_keymode)word_of(modes, 4, o->keys, "keys=");
	struct cms_recipient rcpt[LIST_MAX];
	struct problem pr = {0};
	struct buf in = read_input(), out;
	struct stream_buf to;
	struct cms_enc *e;

	if (o->rcpts.n == 0)
		die(2, "nobody to encrypt for", "rcpt=FILE");
	for (size_t i = 0; i < o->rcpts.n; i++)
		rcpt[i] = (struct cms_recipient){.cert = o->rcpts.v[i], .mode = mode, .ski = o->ski};
	buf_init(&out, OCTETS_MAX);
	stream_buf_init(&to, &out);
	e = cms_enc_new(rcpt, o->rcpts.n, cipher, &to.writer, &pr);
	must(e == NULL ? -1 : 0, &pr);
	must(stream_write(cms_enc_writer(e), in.p, in.len, &pr), &pr);
	must(cms_enc_end(e, &pr), &pr);
	put_output(&out);
}

/* ---- reading ---- */

static struct cms_outline *outline(struct stream_mem *from, const struct buf *in)
{
	struct cms_outline *o = NULL;
	struct problem pr = {0};

	stream_mem_init(from, in->p, in->len);
	must(cms_outline(&from->reader, NULL, &o, &pr), &pr);
	must(cms_outline_check(o, &pr), &pr);
	return o;
}

/* What it is, without any key. */
static void do_outline(struct options *o)
{
	static const char *const kinds[] = {"enveloped", "auth-enveloped", "signed", "compressed", "other"};
	struct stream_mem from;
	struct buf in = read_input();
	struct cms_outline *ol = outline(&from, &in);

	(void)o;
	printf("%s\t%s\n", kinds[cms_outline_kind(ol)], cms_outline_cipher(ol));
	cms_outline_free(ol);
}

static void do_decrypt(struct options *o)
{
	struct stream_mem from;
	struct stream_buf to;
	struct problem pr = {0};
	struct buf in = read_input(), out;
	struct cms_outline *ol = outline(&from, &in);
	X509 *cert = one_cert(o->cert);

	buf_init(&out, OCTETS_MAX);
	stream_buf_init(&to, &out);
	if (cms_outline_find(ol, &cert, 1) != 0)
		die(1, "no RecipientInfo names this certificate", "");
	must(cms_decrypt(ol, cert, one_key(o->key), NULL, &to.writer, &pr), &pr);
	fprintf(stderr, "cipher\t%s\n", cms_outline_cipher(ol));
	put_output(&out);
	cms_outline_free(ol);
}

static void do_uncompress(struct options *o)
{
	struct stream_mem from;
	struct stream_buf to;
	struct problem pr = {0};
	struct buf in = read_input(), out;
	struct cms_outline *ol = outline(&from, &in);

	(void)o;
	buf_init(&out, OCTETS_MAX);
	stream_buf_init(&to, &out);
	must(cms_uncompress(ol, OCTETS_MAX, &to.writer, &pr), &pr);
	put_output(&out);
	cms_outline_free(ol);
}

static bool say_signer(const struct cms_signer_facts *f)
{
	char name[512] = "";

	if (f->cert != NULL)
		cert_name(X509_get_subject_name(f->cert), name, sizeof(name));
	fprintf(stderr, "signer\t%s\t%s\t%s\t%s\t%s\t%s\n", f->ok ? "ok" : "bad", f->digest, f->sigalg,
	    f->ok && f->domain ? "domain" : "-", name, f->why);
	return f->ok;
}

/* Verifies; the content (of an opaque one) is in *out_r. Ends when it is malformed. */
static void verify(struct options *o, struct cms_verdict *v_r, struct buf *out_r)
{
	struct stream_mem from, side;
	struct stream_buf to;
	struct problem pr = {0};
	struct buf in = read_input(), content;
	struct cms_outline *ol = outline(&from, &in);

	buf_init(out_r, OCTETS_MAX);
	stream_buf_init(&to, out_r);
	buf_init(&content, OCTETS_MAX);
	if (o->content != NULL)
		content = read_file(o->content);
	stream_mem_init(&side, content.p, content.len);
	must(cms_verify(ol, o->content ? &side.reader : NULL, o->content ? NULL : &to.writer, v_r, &pr), &pr);
	cms_outline_free(ol);
	buf_clear(&content);
	buf_clear(&in);
}

static void do_verify(struct options *o)
{
	struct cms_verdict v;
	struct buf out;
	bool good = true;

	verify(o, &v, &out);
	for (size_t i = 0; i < v.nsigners; i++)
		good = say_signer(&v.signers[i]) && good;
	if (!good)
		_exit(1);
	put_output(&out);
	cms_verdict_clear(&v);
}

/* Does a path lead from the signer to one of the anchors, now, for signing mail? Nothing is asked of names. */
static bool say_path(X509 *signer, const struct options *o, const struct cms_verdict *v)
{
	X509 *extra[LIST_MAX];
	struct store_anchor unread[LIST_MAX];
	struct trust_question q = {.use = CERT_TO_SIGN,
	    .anchors = unread,
	    .nanchors = o->anchors.n,
	    .anchor_certs = o->anchors.v,
	    .extra = extra,
	    .at = time(NULL)};
	struct cert_facts f;
	struct trust_found found;
	struct revoke revoke = {
	    .cache = revoke_cache_new(), .mode = REVOKE_HARD, .given = o->lists, .ngiven = o->nlists};

	if (o->nlists > 0)
		q.revoke = &revoke;
	memset(unread, 0, sizeof(unread));
	for (int i = 0; i < sk_X509_num(v->certs) && q.nextra < LIST_MAX; i++)
		extra[q.nextra++] = sk_X509_value(v->certs, i);
	for (size_t i = 0; i < o->chain.n && q.nextra < LIST_MAX; i++)
		extra[q.nextra++] = o->chain.v[i];
	cert_facts(signer, &f);
	trust_path(signer, &f, &q, &found);
	revoke_cache_free(revoke.cache);
	fprintf(stderr, "%s\t%s\n", found.result == TRUST_GOOD ? "trusted" : "untrusted", found.how);
	return found.result == TRUST_GOOD;
}

static void do_trust(struct options *o)
{
	struct cms_verdict v;
	struct buf out;
	bool good = true;

	verify(o, &v, &out);
	for (size_t i = 0; i < v.nsigners; i++)
		good = say_signer(&v.signers[i]) && say_path(v.signers[i].cert, o, &v) && good;
	if (!good)
		_exit(1);
	put_output(&out);
	cms_verdict_clear(&v);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(struct options *);
	} verbs[] = {{"sign", do_sign}, {"encrypt", do_encrypt}, {"outline", do_outline}, {"decrypt", do_decrypt},
	    {"uncompress", do_uncompress}, {"verify", do_verify}, {"trust", do_trust}};
	struct options o = {0};

	for (size_t i = 0; argc > 1 && i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		if (strcmp(argv[1], verbs[i].name) != 0)
			continue;
		read_options(&o, argv + 2);
		verbs[i].run(&o);
		_exit(0);
	}
	die(2, "usage", "cms sign|encrypt|outline|decrypt|uncompress|verify|trust name=value ...");
}
