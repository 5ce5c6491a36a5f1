#include "gateway/proc/conf_files.h"

#include <string.h>
#include <strings.h>

#include "gateway/base/buf.h"
#include "gateway/base/file.h"
#include "ldap/ldap_cert_settings.h"
#include "ldap/ldap_settings.h"

enum { FILE_MAX = 16 << 20 };
#define SYSTEMS "/etc/ssl/certs/ca-certificates.crt"

static int check_file(const char *path, const char *what, const char *title, struct problem *pr)
{
	struct buf b;
	int rc;

	buf_init(&b, FILE_MAX);
	rc = file_read(path, &b, pr);
	if (rc == 0 && strstr(buf_str(&b), "-----BEGIN CERTIFICATE-----") == NULL &&
	    strstr(buf_str(&b), "-----BEGIN TRUSTED CERTIFICATE-----") == NULL)
		rc = problem_perm(pr, "%.200s: there is no certificate in it (PEM)", path);
	buf_clear(&b);
	return rc == 0 ? 0 : problem_prefix(pr, "%s%s%s%s: ", what, *title ? " \"" : "", title, *title ? "\"" : "");
}

/* Does it speak TLS to anybody whose certificate is looked at? */
static bool needs_cas(const struct ldap_settings *l)
{
	bool tls = l->starttls;

	for (size_t i = 0; i < l->servers.n; i++)
		tls = tls || strncasecmp(l->servers.v[i], "ldaps://", 8) == 0;
	return tls && l->tls_verify;
}

static int check_directory(const struct ldap_settings *l, const char *what, const char *title, struct problem *pr)
{
	return needs_cas(l) ? check_file(l->ca_file, what, title, pr) : 0;
}

int conf_files_check(const struct conf *c, struct problem *pr)
{
	const char *title;

	if (strcmp(conf_top(c)->tls_ca_file, SYSTEMS) != 0 &&
	    check_file(conf_top(c)->tls_ca_file, "tls-ca-file", "", pr) != 0)
		return -1;
	for (size_t i = 0; i < conf_listeners(c); i++) {
		const struct conf_listener *l = conf_listener(c, i, &title);

		if (l->client_ca_file[0] != '\0' &&
		    check_file(l->client_ca_file, "client-ca-file of listener", title, pr) != 0)
			return -1;
	}
	for (size_t i = 0; i < conf_directories(c); i++) {
		const struct ldap_settings *l = conf_directory(c, i, &title);

		if (check_directory(l, "ca-file of ldap", title, pr) != 0)
			return -1;
	}
	for (size_t i = 0; i < conf_cert_directories(c); i++) {
		const struct ldap_cert_settings *l = conf_cert_directory(c, i, &title);

		if (check_directory(&l->ldap, "ca-file of certificate-directory", title, pr) != 0)
			return -1;
	}
	return 0;
}
