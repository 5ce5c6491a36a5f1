#include "interop/kit/report.h"

#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "interop/kit/countersign.h"
#include "interop/kit/manifest.h"
#include "interop/kit/result.h"
#include "interop/kit/smtp_client.h"
#include "interop/kit/tester.h"
#include "interop/kit/visible.h"

#define FORMAT "postern-interop-countersignature-1"
#define TRIES 5
#define TRY_AGAIN_MS 3000
#define WAIT_LEAST_MS 60000

/* What is to be countersigned, and what came. */
struct asked {
	const char *dir;
	char *run_id, sha256[65];
	STACK_OF(X509) * gateway;
	struct opener opener;
	struct buf opened;
};

static int write_in(const char *dir, const char *name, const void *p, size_t n, struct buf *why)
{
	char *path = text_make("%s/%s", dir, name);
	int rc = file_write(path, p, n, 0644, why);

	free(path);
	return rc;
}

static int ask_for(struct asked *a, struct world *w, struct buf *why)
{
	const struct credential *c = world_credential(w, NULL, "countersign", 'e');
	char *manifest = text_make("%s/manifest.json", a->dir), *pem = text_make("%s/gateway.pem", a->dir);
	json_t *v = manifest_read(a->dir, why);
	int rc = -1;

	if (v && !c)
		fail(why, "the kit has no certificate of its domain \"countersign\": init makes it");
	else if (v && (a->gateway = certificates_read(pem, why)) &&
		 manifest_file_hash(manifest, a->sha256, NULL, why) == 0) {
		a->run_id = text_copy(result_member(v, "run"));
		a->opener = (struct opener){.cert = c->cert, .key = c->key};
		rc = 0;
	}
	json_decref(v);
	free(manifest);
	free(pem);
	return rc;
}

/* A gateway that looks for the certificate first may ask to try again (RFC 5321 4.5.4.1). */
static int send_mail(const struct kit *k, const struct asked *a, const char *to, struct buf *why)
{
	char *from = text_make("alice@%s", k->gateway_domain), *list[] = {(char *)to};
	struct buf mail = {0}, said = {0};
	struct reply r = {0};
	int code = 0;

	for (int i = 0; i < TRIES && (code == 0 || code / 100 == 4); i++) {
		int64_t took;

		if (i > 0)
			pause_ms(TRY_AGAIN_MS);
		buf_clear(&mail);
		buf_clear(&said);
		countersign_mail(from, to, a->run_id, a->sha256, &mail);
		r.code = 0;
		code = smtp_send(
		    k->gateway_inside, k->host, false, from, list, 1, mail.p, mail.n, NULL, &r, NULL, &took, &said);
		code = r.code ? r.code : code;
	}
	if (code / 100 != 2) {
		struct buf shown = {0};

		visible_add(&shown, r.text.n ? r.text.p : "no answer", r.text.n ? r.text.n : 9);
		fail(why, "the gateway did not take the mail to countersign: %.1000s", said.n ? said.p : shown.p);
		buf_free(&shown);
	}
	buf_free(&r.text);
	buf_free(&mail);
	buf_free(&said);
	free(from);
	return code / 100 == 2 ? 0 : -1;
}

static const struct mail *wait_for(struct asked *a, struct sink *s, const char *to, int64_t wait_ms, struct buf *why)
{
	int64_t until = ticks_us() / 1000 + wait_ms, left;
	struct buf said = {0};
	const struct mail *m = NULL;
	unsigned after = 0;

	/* mails about other runs may be there; each new one is looked at once */
	while ((left = until - ticks_us() / 1000) >= 0) {
		m = sink_wait(s, OUTSIDE, to, after, left, NULL, NULL);
		if (!m)
			break;
		a->opener.used = false;
		buf_clear(&said);
		if (countersign_read(m->data.p, m->data.n, &a->opener, a->gateway, a->run_id, a->sha256, &a->opened,
			NULL, &said) == 0)
			break;
		after = m->number;
		m = NULL;
	}
	if (!m && said.n > 0)
		fail(why, "what came is no countersignature: %s", said.p);
	else if (!m)
		fail(why, "no message to %s came", to);
	buf_free(&said);
	return m;
}

static int write_opener(const struct asked *a, struct buf *why)
{
	BIO *b = BIO_new(BIO_s_mem());
	char *p = NULL;
	long n = 0;
	int rc;

	if (b && PEM_write_bio_X509(b, a->opener.cert) &&
	    PEM_write_bio_PrivateKey(b, a->opener.key, NULL, NULL, 0, NULL, NULL))
		n = BIO_get_mem_data(b, &p);
	rc = n > 0 ? write_in(a->dir, "countersignature.pem", p, (size_t)n, why)
		   : fail(why, "countersignature.pem cannot be made");
	BIO_free(b);
	return rc;
}

static int add_file(json_t *list, const char *dir, const char *name, struct buf *why)
{
	char *path = text_make("%s/%s", dir, name), hex[65];
	int64_t size = 0;
	int rc = manifest_file_hash(path, hex, &size, why);

	if (rc == 0)
		json_array_append_new(
		    list, json_pack("{s:s,s:I,s:s}", "path", name, "size", (json_int_t)size, "sha256", hex));
	free(path);
	return rc;
}

/* The tester says when it came and what it was. */
static int sign_receipt(
    const struct kit *k, const struct asked *a, const struct mail *m, bool sealed, struct buf *why)
{
	json_t *files = json_array(), *v;
	struct buf came = {0}, signature = {0};
	char *text = NULL;
	int rc = add_file(files, a->dir, "countersignature.eml", why);

	if (rc == 0 && a->opener.used)
		rc = add_file(files, a->dir, "countersignature.pem", why);
	if (rc == 0 && sealed)
		rc = add_file(files, a->dir, "countersignature.sealed.eml", why);
	time_add_iso(&came, (time_t)(m->came_ms / 1000));
	v = json_pack("{s:s,s:s,s:s,s:s,s:o}", "format", FORMAT, "run", a->run_id, "manifest", a->sha256, "came",
	    came.p, "files", files);
	if (!v || !(text = json_dumps(v, JSON_INDENT(1))))
		die("out of memory");
	if (rc == 0 && (rc = tester_sign(k, text, strlen(text), &signature, why)) == 0 &&
	    (rc = write_in(a->dir, "countersignature.json", text, strlen(text), why)) == 0)
		rc = write_in(a->dir, "countersignature.p7s", signature.p, signature.n, why);
	free(text);
	json_decref(v);
	buf_free(&came);
	buf_free(&signature);
	return rc;
}

static int keep(const struct kit *k, const struct asked *a, const struct mail *m, struct buf *why)
{
	bool sealed = a->opened.n != m->data.n || memcmp(a->opened.p, m->data.p, m->data.n) != 0;
	int rc;

	for (size_t i = 0; manifest_later[i]; i++) {
		char *path = text_make("%s/%s", a->dir, manifest_later[i]);

		if (!strncmp(manifest_later[i], "countersignature.", 17))
			unlink(path);
		free(path);
	}
	rc = write_in(a->dir, "countersignature.eml", a->opened.p, a->opened.n, why);
	if (rc == 0 && sealed)
		rc = write_in(a->dir, "countersignature.sealed.eml", m->data.p, m->data.n, why);
	if (rc == 0 && a->opener.used)
		rc = write_opener(a, why);
	return rc == 0 ? sign_receipt(k, a, m, sealed, why) : rc;
}

int report_countersign(const struct kit *k, struct world *w, struct sink *s, const char *run_dir, struct buf *why)
{
	struct asked a = {.dir = run_dir};
	char *to = text_make("report@countersign.%s", k->kit_domain);
	int64_t wait_ms = k->within_ms * 3 > WAIT_LEAST_MS ? k->within_ms * 3 : WAIT_LEAST_MS;
	const struct mail *m = NULL;
	int rc = ask_for(&a, w, why);

	if (rc == 0)
		rc = send_mail(k, &a, to, why);
	if (rc == 0 && !(m = wait_for(&a, s, to, wait_ms, why)))
		rc = -1;
	if (m)
		rc = keep(k, &a, m, why);
	certificates_free(a.gateway);
	buf_free(&a.opened);
	free(a.run_id);
	free(to);
	return rc;
}
