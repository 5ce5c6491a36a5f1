/*
 * What shall happen to a message: facts in, treatment and reason out. Pure: no I/O, no clock, no store. Called by
 * judge (at RCPT, facts of the content still unknown) and by the sealer (all facts known); the same function, so that
 * both say the same.
 */
#ifndef POSTERN_POLICY_POLICY_H
#define POSTERN_POLICY_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#include "gateway/base/problem.h"

/* clear < tls < sign < seal */
enum policy_treatment { POLICY_CLEAR, POLICY_TLS, POLICY_SIGN, POLICY_SEAL };
/* require: refuse rather than less; prefer: less when it cannot be (never for one seen protected, P9); never: clear.
 */
enum policy_strength { POLICY_NEVER, POLICY_PREFER, POLICY_REQUIRE };
const char *policy_treatment_word(enum policy_treatment t);
const char *policy_strength_word(enum policy_strength s);
int policy_treatment_parse(const char *w, enum policy_treatment *t_r);
int policy_strength_parse(const char *w, enum policy_strength *s_r);

/* Content that a rule of the admin lets go unsigned and unencrypted, because what reads it elsewhere is a program
 * that understands no S/MIME. */
enum policy_exempt {
	POLICY_EXEMPT_CALENDAR = 1,   /* invitations and what answers them, with nothing else in them */
	POLICY_EXEMPT_AUTO_REPLY = 2, /* automatic replies (RFC 3834) of mere text */
};
#define POLICY_EXEMPT_ALL (POLICY_EXEMPT_CALENDAR | POLICY_EXEMPT_AUTO_REPLY)
#define POLICY_EXEMPT_TEXT_MAX 32
/* Words between commas: "calendar,auto-reply"; "" is none. 0, -1 for any other word. */
int policy_exempt_parse(const char *text, uint8_t *bits_r);
void policy_exempt_print(uint8_t bits, char out[POLICY_EXEMPT_TEXT_MAX]);

/* ---- outbound, one recipient ---- */
enum policy_certs {
	POLICY_CERTS_NONE,
	POLICY_CERTS_USABLE,
	POLICY_CERTS_UNCERTAIN /* a look-up failed, store stale: P1 */,
	POLICY_CERTS_UNUSABLE /* there are some, none is valid: why in cert_why */
};
struct policy_out {
	char rule[256]; /* name of the rule or partner entry that set the next two ("default") */
	enum policy_treatment treatment;
	enum policy_strength strength;
	bool listed;	     /* the admin listed the partner */
	bool seen_protected; /* P9 */
	enum policy_certs certs;
	char cert_why[400]; /* sentence(s) on the certificates found, or why none */
	bool have_signer;   /* our sender domain has a valid signing identity */
	char signer_why[256];
	bool reads_no_signed;	    /* the partner's gateway reads nothing that is signed and not encrypted */
	bool tls_verified_possible; /* TLS with the next hop is verified: configured, DANE, MTA-STS (treatment tls) */
	/* of the content; false/unknown at RCPT */
	bool reply_to_sealed;
	uint8_t exempt; /* enum policy_exempt: the one kind that the message is and that the rule lets go; 0: none */
};
enum policy_action { POLICY_PASS, POLICY_REFUSE, POLICY_LATER };
struct policy_decision {
	enum policy_action action;
	enum policy_treatment treatment; /* when PASS */
	char why[640];			 /* sentence for the log, `explain` and X-Postern */
	struct problem pr;		 /* when REFUSE/LATER: what the sender is told */
};
void policy_outbound(
    const char *sender, const char *recipient, const struct policy_out *f, struct policy_decision *d_r);

/* ---- inbound, one message ---- */
enum policy_in_action { POLICY_DELIVER, POLICY_MARK, POLICY_HOLD };
/* The first three are those of policy_in_action. */
enum policy_in_choice { POLICY_CHOICE_DELIVER, POLICY_CHOICE_MARK, POLICY_CHOICE_HOLD, POLICY_CHOICE_REFUSE };
/* A message that says it is a delivery report (null reverse-path, multipart/report), by what it is about. */
enum policy_in_dsn { POLICY_DSN_NONE, POLICY_DSN_MATCHED, POLICY_DSN_UNMATCHED };
int policy_in_action_parse(const char *w, enum policy_in_action *a_r);
struct policy_in_rules {		       /* per our domain: configuration */
	enum policy_in_action unsigned_clear;  /* neither signed nor encrypted: deliver */
	enum policy_in_action untrusted;       /* valid signature by someone we do not trust, not encrypted: mark */
	enum policy_in_action broken;	       /* signature not valid, not encrypted: mark */
	enum policy_in_action sealed_unsigned; /* encrypted, no signature or no valid trusted one: hold */
	enum policy_in_choice dsn_unmatched;   /* a delivery report about nothing that we sent: mark */
	enum policy_in_choice part;	       /* an encrypted part beside others: refuse */
	enum policy_in_choice promise;	       /* not signed or encrypted as its domain promised: mark */
};
enum policy_sig {
	POLICY_SIG_NONE,
	POLICY_SIG_GOOD,
	POLICY_SIG_BAD,
	POLICY_SIG_UNTRUSTED,
	POLICY_SIG_UNBOUND /* valid and trusted but not bound to From */,
	POLICY_SIG_TEMP,
	POLICY_SIG_EXPIRED, /* would be trusted, were it not for the time */
	POLICY_SIG_REVOKED, /* its issuer took the certificate back: treated as untrusted at best */
	POLICY_SIG_PARTLY,  /* a part below the top is signed, the message is not */
	POLICY_SIG_OUTSIDE, /* signed around the encryption alone: says nothing of who knew the content */
	POLICY_SIG_COUNT
};
struct policy_in {
	bool encrypted; /* at least one encryption layer of ours was opened */
	bool opened;	/* false: encrypted but could not be opened; then open_why says why, never empty */
	enum policy_sig sig;
	bool whole;		/* the signature covers the whole message */
	bool recipients_signed; /* protected To and Cc were found inside: only then recipient_bound says something */
	bool recipient_bound;
	enum policy_in_dsn dsn;
	bool promised_signed, promised_encrypted; /* of all its mail, by the author's domain (XSMG) */
	bool promise_test;			  /* only to be reported when it is not so */
	char part_why[160];			  /* an encrypted part stands beside others: which; else "" */
	char sig_why[400];			  /* sentence */
	char open_why[400];
};
struct policy_in_decision {
	enum policy_in_action action;
	bool refuse;			      /* with HOLD: before the 250 it is refused instead */
	bool refuse_part;		      /* ... for its encrypted part */
	bool refuse_promise;		      /* ... for the promise it breaks */
	bool broken_signed, broken_encrypted; /* the promise it breaks; also one that is only to be reported */
	bool header_only; /* a report that would be held: delivered, marked, without the content that came back */
	char result[12];  /* RFC 7281 word: pass fail none neutral policy temperror permerror */
	char verdict[24]; /* X-Postern-Verdict word: sealed, signed, encrypted, clear, untrusted, unbound, expired,
			     revoked, temporary, partly-signed, broken-promise, broken */
	char why[640];
};
void policy_inbound(const struct policy_in_rules *r, const struct policy_in *f, struct policy_in_decision *d_r);

#endif
