/*
 * Whether a statement that passed its checks is trusted (XSMG section 5). Role judge; pure: facts in, an action and
 * its rule out. Who gathers the facts: gateway/proc/judge_xsmg.c.
 */
#ifndef POSTERN_XSMG_XSMG_TRUST_H
#define POSTERN_XSMG_XSMG_TRUST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The weakest first; stored as these numbers. */
enum xsmg_level { XSMG_NEVER, XSMG_FIRST_CONTACT, XSMG_WEBPKI, XSMG_DNSSEC, XSMG_ANCHORED, XSMG_PINNED };
enum xsmg_first { XSMG_ASK, XSMG_ACCEPT, XSMG_DECLINE }; /* setting: of a domain whose key nothing speaks for */
enum xsmg_known { XSMG_NO, XSMG_YES, XSMG_UNSURE };
/* Against the trusted one, as statement_check says. */
enum xsmg_order { XSMG_NEWER, XSMG_SAME, XSMG_OLDER, XSMG_OTHER_OF_SERIAL };

#define XSMG_ANNOUNCED_S (7 * 86400)
#define XSMG_OLD_ALARM_S (48 * 3600)

struct xsmg_facts {
	int64_t now;
	enum xsmg_order order;
	int64_t issued; /* of the new one */
	bool withdrawn; /* the new one says so */
	bool by_get;	/* got by asking for it; a PUT alone is a hint */
	enum xsmg_first first;
	/* what is established */
	enum xsmg_level established;
	bool pinned, follow; /* the admin pinned a statement key or certificate; continuity allowed */
	bool trusted_by_pin; /* the trusted one fits the pin, or was reached from it by continuity */
	bool frozen;
	/* what speaks for the new one's statement key */
	bool fits_pin;
	enum xsmg_known anchored; /* its path ends at an anchor scoped to this domain */
	bool certs_bad;		  /* a mail certificate in it does not validate by those anchors */
	enum xsmg_known dns;	  /* `_smg` in a secure zone names it */
	bool dns_other;		  /* dns NO, and that record names other keys */
	bool webpki;		  /* fetched from https://smg.<domain>/.well-known/smg/<domain> */
	bool same_key;		  /* it is the trusted one's */
	bool trusted_signed_too;  /* a second SignerInfo by the trusted one's key verifies */
	int64_t announced;	  /* unix s: first listed in a trusted statement; 0 never */
	/* what speaks against it */
	enum xsmg_known revoked; /* its certificate, or one above it */
	bool bad_key;		 /* marked compromised */
	bool trusted_bad;	 /* the trusted one's key was revoked or compromised */
	bool refused_key;	 /* the admin refused it */
	bool retired_key;	 /* it signed before, and another took its place: A, B, A */
};
enum xsmg_action {
	XSMG_DO_TRUST,	 /* at .level by .rule */
	XSMG_DO_PENDING, /* the admin decides */
	XSMG_DO_CONFIRM, /* a hint: to be got by asking before anything is concluded */
	XSMG_DO_CURRENT, /* what is trusted already */
	XSMG_DO_OLD,	 /* not looked at further */
	XSMG_DO_FREEZE,	 /* nothing of this domain is taken before the admin decides; mail is held */
	XSMG_DO_REFUSE,
	XSMG_DO_LATER, /* cannot be told now */
};
struct xsmg_decision {
	enum xsmg_action action;
	enum xsmg_level level; /* TRUST: by which; PENDING: what speaks for it (NEVER: nothing) */
	bool by_continuity;    /* TRUST: only the old key speaks for the new one */
	bool alarm;
	const char *rule; /* TRUST: a short name of the rule, for the audit log */
	char why[600];	  /* what spoke for and against it, one sentence or two */
};

void xsmg_trust(const struct xsmg_facts *f, struct xsmg_decision *d_r);
/* "webpki" ...; never NULL. */
const char *xsmg_trust_level_word(enum xsmg_level l);
const char *xsmg_trust_action_word(enum xsmg_action a);
/* "ask", "accept", "refuse": 0, or -1. */
int xsmg_trust_first_parse(const char *word, enum xsmg_first *f_r) __attribute__((warn_unused_result));

#endif
