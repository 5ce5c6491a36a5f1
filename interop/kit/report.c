#include "interop/kit/report.h"

#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "interop/kit/countersign.h"
#include "interop/kit/manifest.h"
#include "interop/kit/report_html.h"
#include "interop/kit/report_junit.h"
#include "interop/kit/result.h"
#include "interop/kit/tester.h"

static int write_in(const char *dir, const char *name, const struct buf *b, struct buf *why)
{
	char *path = text_make("%s/%s", dir, name);
	int rc = file_write(path, b->p ? b->p : "", b->n, 0644, why);

	free(path);
	return rc;
}

static int read_in(const char *dir, const char *name, struct buf *b, struct buf *why)
{
	char *path = text_make("%s/%s", dir, name);
	int rc = file_read(path, b, why);

	free(path);
	return rc;
}

int report_render(const char *run_dir, struct buf *html, struct buf *junit, struct buf *why)
{
	json_t *results = result_read(run_dir, why), *files = results ? manifest_files(run_dir, false, why) : NULL;

	if (files) {
		report_html(results, files, html);
		report_junit(results, junit);
	}
	json_decref(results);
	json_decref(files);
	return files ? 0 : -1;
}

static int write_certificates(const char *run_dir, const char *name, STACK_OF(X509) * certs, struct buf *why)
{
	BIO *b = BIO_new(BIO_s_mem());
	struct buf text = {0};
	char *p = NULL;
	long n;
	int rc;

	for (int i = 0; b && i < sk_X509_num(certs); i++)
		PEM_write_bio_X509(b, sk_X509_value(certs, i));
	n = b ? BIO_get_mem_data(b, &p) : 0;
	if (n > 0)
		buf_add(&text, p, (size_t)n);
	rc = n > 0 ? write_in(run_dir, name, &text, why) : fail(why, "%s cannot be made", name);
	buf_free(&text);
	BIO_free(b);
	return rc;
}

/* Only what is public is copied, whatever else the files hold. */
static int copy_certificates(const char *path, const char *run_dir, const char *name, struct buf *why)
{
	STACK_OF(X509) *certs = certificates_read(path, why);
	int rc = certs ? write_certificates(run_dir, name, certs, why) : -1;

	certificates_free(certs);
	return rc;
}

static int add_certificates(const struct kit *k, const char *run_dir, struct buf *why)
{
	char *tester = text_make("%s/tester.pem", k->dir), *gateway = NULL;
	int rc = copy_certificates(tester, run_dir, "tester.pem", why);

	if (rc == 0 && k->gateway_sign && *k->gateway_sign) {
		gateway = *k->gateway_sign == '/' ? text_copy(k->gateway_sign)
						  : text_make("%s/%s", k->dir, k->gateway_sign);
		if (file_there(gateway))
			rc = copy_certificates(gateway, run_dir, "gateway.pem", why);
	}
	free(tester);
	free(gateway);
	return rc;
}

/* A countersignature of another manifest says nothing about this one. */
static void remove_later(const char *run_dir)
{
	for (size_t i = 0; manifest_later[i]; i++) {
		char *path = text_make("%s/%s", run_dir, manifest_later[i]);

		unlink(path);
		free(path);
	}
}

static int write_manifest(const struct kit *k, const char *run_dir, struct buf *why)
{
	struct buf manifest = {0}, before = {0}, signature = {0};
	json_t *results = result_read(run_dir, why);
	int rc = results ? manifest_make(run_dir, result_member(results, "run"), &manifest, why) : -1;

	json_decref(results);
	read_in(run_dir, "manifest.json", &before, NULL);
	if (rc == 0 && (before.n != manifest.n || memcmp(before.p, manifest.p, manifest.n) != 0))
		remove_later(run_dir);
	if (rc == 0 && (rc = tester_sign(k, manifest.p, manifest.n, &signature, why)) == 0 &&
	    (rc = write_in(run_dir, "manifest.json", &manifest, why)) == 0)
		rc = write_in(run_dir, "manifest.p7s", &signature, why);
	buf_free(&manifest);
	buf_free(&before);
	buf_free(&signature);
	return rc;
}

int report_write(const struct kit *k, const char *run_dir, struct buf *why)
{
	struct buf html = {0}, junit = {0};
	int rc = add_certificates(k, run_dir, why);

	if (rc == 0)
		rc = report_render(run_dir, &html, &junit, why);
	if (rc == 0 && (rc = write_in(run_dir, "report.html", &html, why)) == 0 &&
	    (rc = write_in(run_dir, "junit.xml", &junit, why)) == 0)
		rc = write_manifest(k, run_dir, why);
	buf_free(&html);
	buf_free(&junit);
	return rc;
}
