/*
 * Whether a certificate may be taken for a partner. Role judge; pure. Refused for good is what could never be used;
 * refused unless forced is what an admin may have a reason for (an expired certificate to show that the partner did
 * encrypt; a name chosen by another market's rules).
 */
#include "gateway/proc/judge_import.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "gateway/base/mem.h"

enum { SOON_DAYS = 60 };

static void warn(struct judge_import *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void refuse(struct judge_import *r, enum judge_import_grade g, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void warn(struct judge_import *r, const char *fmt, ...)
{
	char text[640];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	judge_call_add(r->warnings, judge_call_text(text));
}

/* The graver reason stays. */
static void refuse(struct judge_import *r, enum judge_import_grade g, const char *fmt, ...)
{
	va_list ap;

	if (g <= r->grade)
		return;
	r->grade = g;
	va_start(ap, fmt);
	(void)vsnprintf(r->reason, sizeof r->reason, fmt, ap);
	va_end(ap);
}

static void check_use(struct judge_import *r, const struct cert_facts *f, const char *words)
{
	if (!f->may_sign && !f->may_encrypt && f->ca)
		refuse(r, JUDGE_IMPORT_NEVER,
		    "certificate %s belongs to a certification authority: to believe what it issues use \"postern "
		    "anchor add\"; here "
		    "the partner's own certificate is wanted",
		    words);
	else if (!f->may_sign && !f->may_encrypt)
		refuse(r, JUDGE_IMPORT_NEVER,
		    "certificate %s is not for mail: %s; ask the partner for its S/MIME certificate", words,
		    f->weak	  ? f->weak_why
		    : f->eku_mail ? "its key usage allows neither signing nor encrypting"
				  : "its extended key usage lacks emailProtection");
	else if (!f->may_encrypt)
		warn(r, "it is for signing only: mail to the partner cannot be encrypted with it");
	else if (!f->may_sign)
		warn(r, "it is for encrypting only: the partner's signatures cannot be believed by it");
	if (f->weak)
		refuse(r, JUDGE_IMPORT_FORCE, "certificate %s is too weak: %s; ask the partner for a stronger one",
		    words, f->weak_why);
}

static void check_time(struct judge_import *r, const struct cert_facts *f, const char *words, int64_t now)
{
	char day[11];

	if (now >= f->not_after)
		refuse(r, JUDGE_IMPORT_FORCE, "certificate %s ran out on %s; ask the partner for its present one",
		    words, cert_day(f->not_after, day));
	else if (now < f->not_before)
		warn(r, "it is not valid before %s and not used until then", cert_day(f->not_before, day));
	else if (f->not_after - now < (int64_t)SOON_DAYS * 86400)
		warn(r, "it runs out on %s", cert_day(f->not_after, day));
}

/* Does one of the names end in the domain, such as securemail@lab.example? */
static bool names_within(const struct cert_facts *f, const char *domain)
{
	size_t d = strlen(domain);

	for (const char *p = f->names; *p;) {
		size_t n = strcspn(p, " ");

		if (n > d && strncmp(p, "mail:", 5) == 0 && p[n - d - 1] == '@' &&
		    strncasecmp(p + n - d, domain, d) == 0)
			return true;
		p += n + (p[n] == ' ');
	}
	return false;
}

static void check_binding(struct judge_import *r, X509 *x, const struct cert_facts *f, const struct address *who,
    bool pinned, const char *words)
{
	bool bound = cert_bound(x, who, CERT_TO_SIGN) != CERT_BOUND_NOT ||
		     cert_bound(x, who, CERT_TO_ENCRYPT) != CERT_BOUND_NOT;
	char text[ADDRESS_TEXT_MAX];
	const char *owner = who->local[0] ? address_text(who, text) : who->domain;
	const char *names = f->names[0] ? f->names : "nobody";

	if (bound)
		return;
	if (!pinned)
		refuse(r, JUDGE_IMPORT_NEVER,
		    "certificate %s does not name %s (it names: %.120s): such a one counts only when pinned (--pin), "
		    "after its fingerprint was compared",
		    words, owner, names);
	else if (names_within(f, who->domain))
		warn(r, "it does not name %s itself but %.200s: pinned, it will be used for all of %s", owner, names,
		    owner);
	else
		refuse(r, JUDGE_IMPORT_FORCE,
		    "certificate %s does not name %s nor anybody there (it names: %.120s): is it the right "
		    "partner's?",
		    words, owner, names);
}

void judge_import_check(X509 *x, const struct address *who, bool pinned, int64_t now, struct judge_import *r_r)
{
	struct cert_facts f;
	char words[300];

	*r_r = (struct judge_import){.grade = JUDGE_IMPORT_GOOD, .warnings = judge_call_array()};
	cert_facts(x, &f);
	(void)cert_words(&f, words, sizeof words);
	check_use(r_r, &f, words);
	check_time(r_r, &f, words, now);
	if (who->domain[0])
		check_binding(r_r, x, &f, who, pinned, words);
}

static bool take_name(const char *names, const char *kind, char out[ADDRESS_TEXT_MAX])
{
	size_t k = strlen(kind);

	for (const char *p = names; *p;) {
		size_t n = strcspn(p, " ");

		if (n > k && n - k < ADDRESS_TEXT_MAX && strncmp(p, kind, k) == 0) {
			memcpy(out, p + k, n - k);
			out[n - k] = 0;
			return true;
		}
		p += n + (p[n] == ' ');
	}
	return false;
}

void judge_import_owner(const struct cert_facts *f, char out[ADDRESS_TEXT_MAX])
{
	static const char *const offices[] = {"domain-signing-authority@", "domain-confidentiality-authority@"};
	char mail[ADDRESS_TEXT_MAX];
	struct address a;

	out[0] = 0;
	if (take_name(f->names, "dns:", out) || !take_name(f->names, "mail:", mail))
		return;
	if (address_parse(mail, strlen(mail), &a, NULL) < 0)
		return;
	(void)address_text(&a, out);
	for (size_t i = 0; i < sizeof offices / sizeof *offices; i++)
		if (strncasecmp(mail, offices[i], strlen(offices[i])) == 0)
			(void)snprintf(out, ADDRESS_TEXT_MAX, "%s", a.domain);
}
