/* The table of sections ldap "NAME" and the checks of its values. Pure. */
#include "ldap/ldap_settings.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "ldap/ldap_filter.h"

static int bad_server(const char *uri, struct problem *pr)
{
	return problem_perm(pr,
	    "\"%.100s\" is not an LDAP server: ldap://host, ldaps://host, each with :port if it is not 389 or 636",
	    uri);
}

static int port_of(const char *p, unsigned dflt, unsigned *port_r)
{
	size_t n = strlen(p);
	long v;

	*port_r = dflt;
	if (n == 0)
		return 0;
	if (p[0] != ':' || n < 2 || n > 6 || strspn(p + 1, "0123456789") != n - 1)
		return -1;
	v = strtol(p + 1, NULL, 10);
	*port_r = (unsigned)v;
	return v >= 1 && v <= 65535 ? 0 : -1;
}

int ldap_settings_server(const char *uri, struct ldap_settings_server *s, struct problem *pr)
{
	const char *p, *end;

	s->tls = strncasecmp(uri, "ldaps://", 8) == 0;
	if (!s->tls && strncasecmp(uri, "ldap://", 7) != 0)
		return bad_server(uri, pr);
	p = uri + (s->tls ? 8 : 7);
	if (*p == '[') {
		end = strchr(++p, ']');
		if (end == NULL || strspn(p, "0123456789abcdefABCDEF:.") != (size_t)(end - p))
			return bad_server(uri, pr);
	} else {
		end = p + strspn(p, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-.");
	}
	if (end == p || (size_t)(end - p) >= sizeof(s->host))
		return bad_server(uri, pr);
	memcpy(s->host, p, (size_t)(end - p));
	s->host[end - p] = '\0';
	return port_of(*end == ']' ? end + 1 : end, s->tls ? 636 : 389, &s->port) == 0 ? 0 : bad_server(uri, pr);
}

int ldap_settings_check_server(const char *v, struct problem *pr)
{
	struct ldap_settings_server s;

	if (ldap_settings_server(v, &s, NULL) == 0)
		return 0;
	return problem_perm(
	    pr, "an LDAP server such as ldap://host or ldaps://host, with :port if it is not 389 or 636");
}

/* RFC 4512 2.5: a name or an OID, options behind it. */
int ldap_settings_check_attribute(const char *v, struct problem *pr)
{
	if (v[0] != '\0' &&
	    strspn(v, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-.;") == strlen(v))
		return 0;
	return problem_perm(pr, "the name of an attribute such as mail");
}

int ldap_settings_check_filter(const char *v, struct problem *pr)
{
	return v[0] == '\0' ? 0 : ldap_filter_check(v, pr);
}

int ldap_settings_check_path(const char *v, struct problem *pr)
{
	if (v[0] != '\0' && v[0] != '/')
		return problem_perm(pr, "a path that begins with /");
	return 0;
}

#define AT(f) offsetof(struct ldap_settings, f)
static const struct setting rows[] = {
    {"servers", SETTING_LIST, AT(servers), NULL, 0, 300, NULL,
	"The directory's servers in the order to try, as ldap://host or ldaps://host, with :port if need be.",
	ldap_settings_check_server},
    {"starttls", SETTING_BOOL, AT(starttls), "yes", 0, 0, NULL,
	"On ldap:// begin with STARTTLS, and go no further without it.", NULL},
    {"tls-verify", SETTING_BOOL, AT(tls_verify), "yes", 0, 0, NULL,
	"Check the server's certificate, its name and its issuer.", NULL},
    {"ca-file", SETTING_STR, AT(ca_file), "/etc/ssl/certs/ca-certificates.crt", 0, 200, NULL,
	"CAs for tls-verify (PEM).", ldap_settings_check_path},
    {"base", SETTING_STR, AT(base), NULL, 0, 500, NULL,
	"Where the search begins, as in dc=hospital,dc=example; all below it is searched.", NULL},
    {"attributes", SETTING_LIST, AT(attributes), "mail, proxyAddresses", 0, 64, NULL,
	"A recipient exists when an entry has the address in one of these (proxyAddresses: smtp:address).",
	ldap_settings_check_attribute},
    {"filter", SETTING_STR, AT(filter), "", 0, 900, NULL,
	"A filter of your own in place of attributes: %s is the address, %u its local part, %d its domain, each "
	"escaped (RFC 4515), %% a percent sign.",
	ldap_settings_check_filter},
    {"bind-dn", SETTING_STR, AT(bind_dn), "", 0, 500, NULL, "Who we are to the directory; empty: anonymous.", NULL},
    {"password-file", SETTING_STR, AT(password_file), "", 0, 200, NULL,
	"File with the password of bind-dn (its first line), mode 600; read at start and on SIGHUP.",
	ldap_settings_check_path},
    {"timeout", SETTING_DURATION, AT(timeout), "5s", 100, 120000, NULL,
	"How long one server may take, for connecting with TLS and bind, and for the search, each.", NULL},
    {"dead-time", SETTING_DURATION, AT(dead_time), "30s", 0, 3600000, NULL,
	"How long a server that failed is not asked.", NULL},
    {"connections", SETTING_INT, AT(connections), "2", 1, 32, NULL, "Connections, and questions at once.", NULL},
};
#undef AT

const struct settings_section ldap_settings_section = {
    .name = "ldap",
    .rows = rows,
    .nrows = sizeof(rows) / sizeof(rows[0]),
    .size = sizeof(struct ldap_settings),
    .titled = true,
};
