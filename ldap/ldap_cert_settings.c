/* The table of sections certificate-directory "NAME". Pure. */
#include "ldap/ldap_cert_settings.h"

#define AT(f) offsetof(struct ldap_cert_settings, f)
static const struct setting rows[] = {
    {"servers", SETTING_LIST, AT(ldap.servers), NULL, 0, 300, NULL,
	"The directory's servers in the order to try, as ldap://host or ldaps://host, with :port if need be.",
	ldap_settings_check_server},
    {"starttls", SETTING_BOOL, AT(ldap.starttls), "yes", 0, 0, NULL,
	"On ldap:// begin with STARTTLS, and go no further without it.", NULL},
    {"tls-verify", SETTING_BOOL, AT(ldap.tls_verify), "yes", 0, 0, NULL,
	"Check the server's certificate, its name and its issuer.", NULL},
    {"ca-file", SETTING_STR, AT(ldap.ca_file), "/etc/ssl/certs/ca-certificates.crt", 0, 200, NULL,
	"CAs for tls-verify (PEM).", ldap_settings_check_path},
    {"base", SETTING_STR, AT(ldap.base), "", 0, 500, NULL,
	"Where the search begins; all below it is searched. Empty: below every namingContexts that the server names.",
	NULL},
    {"filter", SETTING_STR, AT(ldap.filter), "(mail=%s)", 3, 900, NULL,
	"What is searched for: %s is the address or domain, %u its local part, %d its domain, each escaped (RFC "
	"4515), %% a percent sign.",
	ldap_settings_check_filter},
    {"attributes", SETTING_LIST, AT(ldap.attributes),
	"userCertificate;binary, userCertificate, userSMIMECertificate;binary, userSMIMECertificate", 0, 64, NULL,
	"Where the certificates are (userSMIMECertificate: PKCS #7).", ldap_settings_check_attribute},
    {"bind-dn", SETTING_STR, AT(ldap.bind_dn), "", 0, 500, NULL, "Who we are to the directory; empty: anonymous.",
	NULL},
    {"password-file", SETTING_STR, AT(ldap.password_file), "", 0, 200, NULL,
	"File with the password of bind-dn (its first line), mode 600; read at start and on SIGHUP.",
	ldap_settings_check_path},
    {"timeout", SETTING_DURATION, AT(ldap.timeout), "5s", 100, 120000, NULL,
	"How long one server may take, for connecting with TLS and bind, and for each search.", NULL},
    {"dead-time", SETTING_DURATION, AT(ldap.dead_time), "30s", 0, 3600000, NULL,
	"How long a server that failed is not asked.", NULL},
    {"connections", SETTING_INT, AT(ldap.connections), "2", 1, 32, NULL, "Connections, and questions at once.", NULL},
    {"idle", SETTING_DURATION, AT(idle), "60s", 0, 3600000, NULL, "How long a connection is kept unused.", NULL},
    {"entries", SETTING_INT, AT(entries), "50", 1, 10000, NULL, "Entries that one search may give.", NULL},
    {"waiting", SETTING_INT, AT(waiting), "200", 1, 100000, NULL,
	"Questions that may be asked and not answered; more are answered \"not now\".", NULL},
};
#undef AT

const struct settings_section ldap_cert_settings_section = {
    .name = "certificate-directory",
    .rows = rows,
    .nrows = sizeof(rows) / sizeof(rows[0]),
    .size = sizeof(struct ldap_cert_settings),
    .titled = true,
};
