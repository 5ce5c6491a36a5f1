/* The table of section "statement". Pure. */
#include "gateway/proc/statement_settings.h"

#include <stdio.h>
#include <string.h>

static const char *const promise_words[] = {"none", "some", "all", NULL}; /* as enum statement_promise */

static int check_word(enum statement_kind kind, const char *v, const char *allowed, struct problem *pr)
{
	return statement_value(kind, v, strlen(v)) ? 0 : problem_perm(pr, "%s", allowed);
}

static int check_demand(const char *v, struct problem *pr)
{
	return strcmp(v, "signed") == 0 || strcmp(v, "encrypted") == 0 ? 0 : problem_perm(pr, "signed, encrypted");
}

static int check_asserts(const char *v, struct problem *pr)
{
	return check_word(STATEMENT_KIND_ASSERTS, v,
	    "submission-authenticated, sender-authorised, malware-scanned, dkim-aligned, archived", pr);
}

static int check_notices(const char *v, struct problem *pr)
{
	return check_word(STATEMENT_KIND_NOTICES, v, "dsn, mdn-processed, mdn-dispatched", pr);
}

bool statement_settings_url(const char *text, const char *domain, char *out, size_t cap)
{
	size_t n = 0, d = strlen(domain);

	for (const char *p = text; *p; p++) {
		bool is_domain = p[0] == '%' && p[1] == 'd';

		if (n + (is_domain ? d : 1) >= cap)
			return false;
		if (is_domain) {
			memcpy(out + n, domain, d);
			n += d;
			p++;
		} else {
			out[n++] = *p;
		}
	}
	out[n] = '\0';
	return true;
}

static int check_url(const char *v, struct problem *pr)
{
	char url[STATEMENT_URL_MAX + 1];

	if (statement_settings_url(v, "hospital.example", url, sizeof url) && statement_url_ok(url, strlen(url)))
		return 0;
	return problem_perm(pr, "a URL such as https://smg.%%d/.well-known/smg/%%d (%%d: the domain)");
}

uint8_t statement_settings_bits(enum statement_kind kind, const struct settings_list *l)
{
	unsigned bits = 0;

	for (size_t i = 0; i < l->n; i++)
		bits |= statement_value(kind, l->v[i], strlen(l->v[i]));
	return (uint8_t)bits;
}

#define AT(f) offsetof(struct statement_settings, f)
#define DAYS(n) ((n)*24 * 3600 * 1000LL)
#define TIME(n, f, d, lo, hi, h)                                                                                     \
	{                                                                                                            \
		.name = n, .type = SETTING_DURATION, .offset = AT(f), .dflt = d, .min = lo, .max = hi, .help = h     \
	}
#define LIST(n, f, c, h)                                                                                             \
	{                                                                                                            \
		.name = n, .type = SETTING_LIST, .offset = AT(f), .dflt = "", .check = c, .help = h                  \
	}
#define PROMISE(n, f, h)                                                                                             \
	{                                                                                                            \
		.name = n, .type = SETTING_ENUM, .offset = AT(f), .dflt = "none", .words = promise_words, .help = h  \
	}

static const struct setting rows[] = {
    TIME("lifetime", lifetime, "7d", 10 * 1000LL, DAYS(30), "How long a statement of one of our domains is good."),
    TIME("remake", remake, "24h", 1000, DAYS(7),
	"How old a statement becomes before a new one is made although nothing changed; at most half of lifetime "
	"counts."),
    PROMISE("signs", signs,
	"What mail of ours to partners that hold our certificates is signed: all, some, none (nothing is promised). "
	"A partner that trusts the statement may mark, hold or refuse mail that breaks the promise."),
    PROMISE("encrypts", encrypts, "The same for encryption."),
    TIME("promise", promise, "30d", 60 * 1000LL, DAYS(366), "How far ahead the promises reach from each statement."),
    {.name = "promises-on-trial",
	.type = SETTING_BOOL,
	.offset = AT(test),
	.dflt = "no",
	.help = "Partners shall only report what breaks a promise."},
    LIST("demand", demand, check_demand,
	"What is demanded of partners' mail: signed, encrypted. It is said here; what becomes of mail that is less, "
	"the domain's own settings decide."),
    LIST("asserts", asserts, check_asserts,
	"What happens before mail is signed: submission-authenticated, sender-authorised, malware-scanned, "
	"dkim-aligned, archived."),
    LIST("notices", notices, check_notices, "Notices that are sent: dsn, mdn-processed, mdn-dispatched."),
    LIST("urls", urls, check_url,
	"Where the newest statement is found, at most 8; %d stands for the domain. They are also what postern "
	"dns-records publishes."),
    LIST("withdrawn", withdrawn, NULL,
	"Domains of ours that stop: their statements say so, and partners are released from what they promised about "
	"them."),
    {.name = "key-days",
	.type = SETTING_INT,
	.offset = AT(key_days),
	.dflt = "1095",
	.min = 1,
	.max = 3650,
	.help = "Days for which a self-signed statement certificate is good."},
    TIME("rollover-before", before, "60d", 0, DAYS(366),
	"How long before a certificate runs out its key is changed by itself, at most a third of its life; 0s: "
	"never. "
	"It "
	"should be more than rollover-lead."),
    TIME("rollover-lead", lead, "14d", 1000, DAYS(90),
	"How long new certificates are announced before they are used."),
    TIME("rollover-early", early, "2d", 1000, DAYS(90),
	"When all partners that were handed a statement hold one with the announcement, the new certificates are "
	"used this "
	"long after, if that is earlier."),
    TIME("rollover-overlap", overlap, "14d", 1000, DAYS(90),
	"How long old signing certificates stay in the statement, and old statement keys sign it too, after new ones "
	"took "
	"their place."),
};
const struct settings_section statement_settings_section = {
    "statement", rows, sizeof(rows) / sizeof((rows)[0]), sizeof(struct statement_settings), false};
