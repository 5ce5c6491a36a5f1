/* One question as dns.c (MX, addresses, the end) and dns_tlsa.c (TLSA of its hosts) share it; nobody else includes
 * this. Role scout. */
#ifndef POSTERN_SCOUT_DNS_STATE_H
#define POSTERN_SCOUT_DNS_STATE_H

#include "gateway/mail/address.h"
#include "gateway/scout/dns.h"
#include "gateway/scout/dns_answer.h"
#include "gateway/scout/dns_packet.h"

/* of one step: two addresses, or two TLSA candidates, a host */
enum { DNS_STATE_LOOKUPS = 2 * SCOUT_HOSTS_MAX };

struct dns_question;
struct dns_lookup {
	struct dns_question *q;
	size_t host; /* index into out.hosts, but for MX and TXT */
	uint16_t type;
	bool expanded; /* TLSA: of the name behind the host's aliases */
	bool busy;
	int id; /* of ub_cancel, while busy */
};
/* What is noted about a host on the way to its TLSA records. */
struct dns_host_note {
	char expanded[DNS_NAME_MAX]; /* the name behind its aliases, "" when it is none */
	bool insecure;		     /* an address answer came without DNSSEC */
	bool alias_secure;	     /* the first alias itself was validated */
	bool pending;		     /* its TLSA answers have not all come */
	bool retry;		     /* nothing at the expanded name: the initial one is to be asked */
};
struct dns_question {
	struct dns_question *next, **prev;
	struct dns *d;
	enum scout_kind kind;
	unsigned tlsa_port;
	char name[ADDRESS_DOMAIN_MAX + 1];
	dns_done *done;
	dns_txt_done *txt_done; /* a question for a TXT record, not for hosts */
	const char *txt_begins;
	char txt[DNS_TXT_MAX + 1];
	void *ctx;
	struct loop_timer *soon, *deadline;
	void (*step)(struct dns_question *q); /* what soon runs */
	struct dns_lookup lookups[DNS_STATE_LOOKUPS];
	size_t nlookups, busy;
	struct problem unsure; /* TEMP: why an answer could not be had or believed; NONE so far */
	bool insecure;	       /* an answer came without DNSSEC */
	bool implicit;	       /* no MX: the domain is its own host */
	bool tlsa;	       /* the look-up of TLSA has begun */
	struct dns_host_note notes[SCOUT_HOSTS_MAX];
	struct scout_hosts out;
};

void dns_state_next(struct dns_question *q, void (*step)(struct dns_question *q));
void dns_state_finish(struct dns_question *q, enum scout_status s);
/* One more look-up of this step. */
void dns_state_look_up(struct dns_question *q, size_t host, uint16_t type, bool expanded);

#endif
