/* What judge knows of the configuration, and where it keeps answers. Role judge; filled once by proc_judge.c, read by
 * judge_*.c. */
#ifndef POSTERN_PROC_JUDGE_WORLD_H
#define POSTERN_PROC_JUDGE_WORLD_H

#include <stdbool.h>
#include <stddef.h>

#include "certstore/find.h"
#include "certstore/format.h"
#include "gateway/policy/policy.h"

struct judge_cache;
struct judge_xsmg_fetch;
struct judge_xsmg_own;
struct partner_statement_settings;
struct judge_traces;
struct conf;
struct judge_world {
	const struct conf *conf;    /* for settings.show; NULL: not told */
	const char *const *domains; /* ours, A-labels, lower case */
	size_t ndomains;
	const struct policy_in_rules *in_rules; /* one per domain, for explain; NULL: not told */
	enum policy_treatment treatment;	/* for whom no rule and no partner entry says otherwise */
	enum policy_strength strength;
	struct format format;	  /* of a reader of whom nothing is known */
	unsigned cipher_bits_min; /* nothing is written with less */
	unsigned rsa_bits_min;	  /* of certificates to encrypt to */
	bool learn;		  /* from what signed mail says its reader can */
	int64_t learn_max;	  /* owners */
	int64_t learn_future_max; /* s */
	bool tls_verified;	  /* the outbound next hop is configured to be verified (explain) */
	struct find_options find; /* where certificates are looked for, for whom nothing else is said */
	struct find_limits find_limits;
	const char *const *directories; /* titles of the sections certificate-directory */
	size_t ndirectories;
	bool harvest;	     /* certificates to encrypt to, out of signed and believed mail */
	int64_t harvest_max; /* owners */
	const struct partner_statement_settings *statements; /* NULL: as of a fresh installation */
	struct judge_cache *cache;
	struct judge_xsmg_fetch *fetch; /* partners' statements by URL; NULL: nobody fetches */
	struct judge_xsmg_own *own;	/* our statements; NULL: XSMG is off */
	struct judge_traces *traces;	/* NULL: no question is kept */
};

/* Index of one of our domains, -1 when it is none. */
int judge_world_domain(const struct judge_world *w, const char *domain);

#endif
