/*
 * The configuration of the whole gateway: the top-level settings, listeners, our domains, and the modules' own
 * sections put together. The parent reads the file; every child gets its text and parses it again before its sandbox.
 * Blocks.
 */
#ifndef POSTERN_PROC_CONF_H
#define POSTERN_PROC_CONF_H

#include <netinet/in.h>

#include "gateway/base/buf.h"

#include "gateway/base/settings.h"

/* Up to VERIFY in the order of enum smtpc_tls. */
enum conf_tls_no { CONF_TLS_NO_IGNORE, CONF_TLS_NO_HONOUR };
enum conf_tls {
	CONF_TLS_NONE,
	CONF_TLS_MAY,
	CONF_TLS_ENCRYPT,
	CONF_TLS_VERIFY,
	CONF_TLS_DANE,	    /* where the host has TLSA records, else may */
	CONF_TLS_DANE_ONLY, /* hosts without usable TLSA records are not used */
};

enum conf_client_certs { CONF_CLIENT_CERTS_NONE, CONF_CLIENT_CERTS_ASK, CONF_CLIENT_CERTS_REQUIRE };
enum conf_rcpts { CONF_RCPTS_CALL_AHEAD, CONF_RCPTS_ANY, CONF_RCPTS_MAP, CONF_RCPTS_LDAP };
enum conf_unsure { CONF_UNSURE_DEFER, CONF_UNSURE_ACCEPT };
enum conf_routes { CONF_ROUTES_REFUSE, CONF_ROUTES_ACCEPT };

struct conf_top {	   /* section "" */
	char *hostname;	   /* our name in EHLO, greeting, Received */
	char *authserv_id; /* RFC 8601; "" = hostname */
	char *data_directory;
	char *control_socket;
	char *control_group; /* group that may use the control socket; "" = owner only */
	char *passphrase_file;
	char *users;	       /* "roles" (users postern-<role>), "same", or "uid:N" (N + number of the role) */
	int64_t sealers;       /* 0 = one per core */
	int64_t restart_pause; /* ms */
	int log_level;
	char *relay_host;    /* outbound next hop "host:port", "" = MX */
	int relay_tls;	     /* enum conf_tls, to relay-host or MX hosts */
	int tls_required_no; /* enum conf_tls_no */
	char *tls_ca_file;
	int default_treatment, default_strength; /* enum policy_treatment / policy_strength */
	int64_t mx_port;			 /* 25; tests use others */
	int64_t sessions_max, sessions_per_client;
	int64_t header_max;
	int64_t nesting_max;	   /* S/MIME layers */
	int64_t open_failures_max; /* P10: failures an hour of a client or an encryptedKey hash */
	int64_t crashes_max;
	int64_t keeper_timeout; /* ms; 0: never */
	bool mixed_policies;	/* recipients of different policies in one transaction */
	bool subject_mark;	/* put [sealed]/[not verified] marks into the Subject: default no */
	int foreign_encrypted;	/* 0 refuse, 1 deliver */
	int dsn_unmatched;	/* enum policy_in_choice */
	int encrypted_part;	/* the same */
	int broken_promise;	/* the same */
	int64_t dsn_rate;
	bool xsmg;	  /* introduce ourselves to other gateways */
	char *postmaster; /* address for notices, "" = postmaster@hostname */
};
struct conf_listener {		       /* section listener "name" */
	char *address;		       /* "127.0.0.1:25" "[::1]:25" */
	int side;		       /* 0 inside, 1 outside */
	struct settings_list networks; /* inside: who may send */
	bool starttls;
	bool tls_required;
	int client_certificates; /* enum conf_client_certs */
	char *client_ca_file;
	struct settings_list proxy_from; /* balancers: their PROXY header names the client */
	struct settings_list unlimited;	 /* outside: clients without rates */
};
struct conf_domain {						/* section domain "hospital.example" */
	char *inside_server;					/* host:port */
	int inside_tls;						/* enum conf_tls */
	int unsigned_clear, untrusted, broken, sealed_unsigned; /* enum policy_in_action */
	int revocation;						/* enum revoke_mode */
	int recipients;						/* enum conf_rcpts: who knows which exist */
	int recipient_unsure;					/* enum conf_unsure */
	char *recipient_map, *recipient_ldap;			/* file; section ldap "..." */
	char *recipient_delimiter;				/* one of these begins a tag */
	int recipient_routes;					/* enum conf_routes: user%elsewhere@ours */
};

/* The users are 32 bits: N plus the number of a role must stay below -1, and must not come round to root. */
#define CONF_USERS_BASE_MAX 4294960000U
/* The N of users = "uid:N"; false when it says something else. */
bool conf_users_base(const char *users, unsigned *base_r);

struct conf;
/* Parses text (file only names it in messages), checks what spans settings. 0 / -1 with FILE:LINE. */
int conf_parse(const char *file, const char *text, size_t n, struct conf **c_r, struct problem *pr)
    __attribute__((warn_unused_result));
void conf_free(struct conf *c);
const struct conf_top *conf_top(const struct conf *c);
size_t conf_listeners(const struct conf *c);
const struct conf_listener *conf_listener(const struct conf *c, size_t i, const char **name_r);
size_t conf_domains(const struct conf *c);
const struct conf_domain *conf_domain(const struct conf *c, size_t i, const char **name_r);
const struct conf_domain *conf_domain_find(const struct conf *c, const char *name);
/* Sections ldap "name". */
struct ldap_settings;
size_t conf_directories(const struct conf *c);
const struct ldap_settings *conf_directory(const struct conf *c, size_t i, const char **name_r);
/* Sections certificate-directory "name". */
struct ldap_cert_settings;
size_t conf_cert_directories(const struct conf *c);
const struct ldap_cert_settings *conf_cert_directory(const struct conf *c, size_t i, const char **name_r);
/* A module's own section by name ("queue", "smtp-server", "smtp-client", "dns", "recipients"). */
const void *conf_section(const struct conf *c, const char *section);
/* As settings_show, of all sections. */
struct settings_shown;
int conf_show(const struct conf *c, void (*one)(void *ctx, const struct settings_shown *shown), void *ctx)
    __attribute__((warn_unused_result));
int conf_help(struct buf *out) __attribute__((warn_unused_result));
/* "127.0.0.1:25" / "[::1]:25" / "host:25" split; numeric only when ss_r is given. 0 / -1 with pr. */
int conf_hostport(const char *text, unsigned default_port, char host_r[256], struct sockaddr_storage *ss_r,
    unsigned *port_r, struct problem *pr) __attribute__((warn_unused_result));

#endif
