/*
 * One connection to a directory server, used by one thread: connect, TLS, bind, search. Blocks, each step at most for
 * the setting timeout. Scout.
 */
#ifndef POSTERN_LDAP_LDAP_LINK_H
#define POSTERN_LDAP_LDAP_LINK_H

#include <netinet/in.h>
#include <stdbool.h>

#include "ldap/ldap_settings.h"

#define LDAP_LINK_MESSAGE_MAX (1u << 20) /* octets of one message from the server */

struct ldap;	      /* libldap's LDAP */
struct ldap_link_tls; /* what TLS needs, read from files */
/* Before the sandbox, in one thread. Made once for a ca-file and kept as long as the process (libldap has no call
 * that gives a TLS context back). NULL with pr: ca-file cannot be used. */
const struct ldap_link_tls *ldap_link_tls(const struct ldap_settings *set, struct problem *pr);

enum ldap_link_result {
	LDAP_LINK_FOUND,
	LDAP_LINK_NOTHING,
	LDAP_LINK_LATER, /* it answered: not now */
	LDAP_LINK_WRONG, /* it answered, and somebody must mend the settings or the directory; other questions may
			    fare better */
	LDAP_LINK_DOWN,	 /* the connection or the server is not there */
	LDAP_LINK_ERROR, /* TLS or bind refused: no question can be asked */
};
struct ldap_link;
struct ldap_link_to {
	const struct ldap_settings *set;
	const char *uri; /* of the setting servers */
	const struct ldap_link_tls *tls;
	const char *password;
	size_t password_len;
	/* Called between connect and TLS with the socket, which stays the link's; NULL: nobody wants to know. */
	void (*connected)(void *ctx, int fd);
	void *ctx;
};
/* Connected and bound, or NULL with *r_r DOWN or ERROR and words. */
struct ldap_link *ldap_link_new(const struct ldap_link_to *to, const struct sockaddr_storage *addr,
    enum ldap_link_result *r_r, char words_r[400]);
void ldap_link_free(struct ldap_link *k);
/* What its user knows of the server, as long as it is connected: begins as NULL, freed with it by free(). */
void **ldap_link_notes(struct ldap_link *k);
/* Is there an entry? words_r: its DN, or what went wrong and where to look. Never ERROR; only DOWN says something of
 * the server. */
enum ldap_link_result ldap_link_search(
    struct ldap_link *k, const struct ldap_settings *set, const char *filter, char words_r[400]);
/* What a result code without an entry means, with words. */
enum ldap_link_result ldap_link_code(struct ldap *ld, int rc, char words_r[400]);
/* For ldap_values.c, which makes other searches on it. */
struct ldap *ldap_link_handle(struct ldap_link *k);
/* From now on a message from the server may have so many octets; a longer one ends it with errno ERANGE. */
void ldap_link_bound(struct ldap_link *k, size_t octets);

#endif
