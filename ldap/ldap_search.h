/*
 * One question to one server over one connection: which bases to search, what is kept of the values, what the answer
 * means. Used by one thread at a time. Blocks. Scout. RFC 4511 4.5, RFC 4512 5.1 (namingContexts).
 */
#ifndef POSTERN_LDAP_LDAP_SEARCH_H
#define POSTERN_LDAP_LDAP_SEARCH_H

#include "certstore/source.h"
#include "gateway/base/buf.h"
#include "ldap/ldap_link.h"

#define LDAP_SEARCH_BASES_MAX 16	 /* namingContexts of a server that are searched */
#define LDAP_SEARCH_BASES_KEEP_MS 600000 /* that they are known over one connection */

struct ldap_search {
	const struct ldap_settings *set; /* base, attributes, timeout, bind-dn */
	char *filter, *who;		 /* whole, RFC 4515; who is looked for, for words */
	int64_t entries;		 /* that one search may give */
	uint32_t max;			 /* octets of all values */
	int64_t end;			 /* loop ms */
	bool own; /* a server of the admin's choice: that it names others is no reason to doubt that it has nothing */
	/* what was found */
	struct source_answer answer;
	struct buf octets;
	size_t at[SOURCE_ITEMS_MAX]; /* of each item, in octets */
	size_t nentries, elsewhere;  /* elsewhere: references to other servers, which are not followed */
	char first_elsewhere[200];
	bool no_base; /* a base that was searched is not there */
};
/* Copies filter and who; the caller sets entries, max, end. */
void ldap_search_init(struct ldap_search *s, const struct ldap_settings *set, const char *filter, const char *who);
void ldap_search_clear(struct ldap_search *s);
/* Searches base, or every namingContexts where that is "". FOUND: at least an entry; NOTHING; else words.
 * s->answer.more: the connection is spent. May be called again. */
enum ldap_link_result ldap_search_all(struct ldap_search *s, struct ldap_link *k, char words_r[400]);
/* After FOUND or NOTHING: makes the answer. */
void ldap_search_settle(struct ldap_search *s, const char *uri, enum ldap_link_result r);

#endif
