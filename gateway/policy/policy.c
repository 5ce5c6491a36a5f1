/*
 * What shall happen to an outgoing message, for one recipient. Judge (at RCPT) and sealer; pure. Looks nothing up:
 * what is not in the facts is not known. Incoming mail: policy_in.c.
 *
 * How it decides: first what is wanted (the rule, made stricter by a reply to sealed mail), then whether that can be
 * done, then, only where the admin said "prefer" and nothing speaks for protection, less. Each way out of here that
 * is not as asked carries the sentence that says why.
 */
#include "gateway/policy/policy.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "gateway/base/log.h"

static const char *const treatments[] = {"clear", "tls", "sign", "seal"};
static const char *const strengths[] = {"never", "prefer", "require"};

const char *policy_treatment_word(enum policy_treatment t)
{
	REQUIRE(t >= POLICY_CLEAR && t <= POLICY_SEAL);
	return treatments[t];
}

const char *policy_strength_word(enum policy_strength s)
{
	REQUIRE(s >= POLICY_NEVER && s <= POLICY_REQUIRE);
	return strengths[s];
}

static int parse_word(const char *const *words, size_t n, const char *w)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(words[i], w) == 0)
			return (int)i;
	return -1;
}

int policy_treatment_parse(const char *w, enum policy_treatment *t_r)
{
	int i = parse_word(treatments, sizeof treatments / sizeof *treatments, w);

	if (i < 0)
		return -1;
	*t_r = (enum policy_treatment)i;
	return 0;
}

int policy_strength_parse(const char *w, enum policy_strength *s_r)
{
	int i = parse_word(strengths, sizeof strengths / sizeof *strengths, w);

	if (i < 0)
		return -1;
	*s_r = (enum policy_strength)i;
	return 0;
}

/* In the order of their bits. */
static const struct {
	const char *word, *what;
} exemptions[] = {{"calendar", "a calendar invitation"}, {"auto-reply", "an automatic reply"}};

int policy_exempt_parse(const char *text, uint8_t *bits_r)
{
	*bits_r = 0;
	while (*text) {
		size_t n = strcspn(text, ","), i = 0;

		while (i < 2 && (strlen(exemptions[i].word) != n || memcmp(exemptions[i].word, text, n) != 0))
			i++;
		if (i == 2)
			return -1;
		*bits_r = (uint8_t)(*bits_r | 1u << i);
		text += n;
		if (*text == ',' && *++text == '\0')
			return -1;
	}
	return 0;
}

void policy_exempt_print(uint8_t bits, char out[POLICY_EXEMPT_TEXT_MAX])
{
	out[0] = '\0';
	for (size_t i = 0; i < 2; i++)
		if (bits & 1u << i)
			(void)snprintf(out + strlen(out), POLICY_EXEMPT_TEXT_MAX - strlen(out), "%s%s",
			    out[0] ? "," : "", exemptions[i].word);
}

/* One decision in the making. */
struct ask {
	const char *recipient, *to, *from; /* to, from: the domains */
	const struct policy_out *f;
	enum policy_treatment treatment; /* what is wanted, after the reply was looked at */
	enum policy_strength strength;
	enum policy_treatment wanted; /* before it was looked at who was seen protected */
	struct policy_decision *d;
};

static const char *domain_of(const char *address)
{
	const char *at = strrchr(address, '@');

	return at && at[1] ? at + 1 : address;
}

/* Who asked for it, in front of every sentence for log and explain. */
static size_t begin_why(struct ask *a)
{
	const struct policy_out *f = a->f;
	int n = snprintf(a->d->why, sizeof a->d->why, "%s (%s, %s): ", f->rule[0] ? f->rule : "default",
	    policy_treatment_word(f->treatment), policy_strength_word(f->strength));

	REQUIRE(n > 0);
	return (size_t)n < sizeof a->d->why ? (size_t)n : sizeof a->d->why - 1;
}

static void pass(struct ask *a, enum policy_treatment t, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
static void stop(struct ask *a, enum policy_action act, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

static void pass(struct ask *a, enum policy_treatment t, const char *fmt, ...)
{
	size_t n = begin_why(a);
	va_list ap;

	a->d->action = POLICY_PASS;
	a->d->treatment = t;
	va_start(ap, fmt);
	(void)vsnprintf(a->d->why + n, sizeof a->d->why - n, fmt, ap);
	va_end(ap);
}

static void stop(struct ask *a, enum policy_action act, const char *fmt, ...)
{
	char text[sizeof a->d->pr.text];
	va_list ap;
	size_t n;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	a->d->action = act;
	if (act == POLICY_LATER)
		problem_set(&a->d->pr, PROBLEM_TEMP, 451, "4.7.1", "", "%s", text);
	else
		problem_set(&a->d->pr, PROBLEM_POLICY, 550, "5.7.1", "", "%s", text);
	n = begin_why(a);
	(void)snprintf(a->d->why + n, sizeof a->d->why - n, "%s", a->d->pr.text);
}

static const char *cert_why(const struct ask *a)
{
	return a->f->cert_why[0] ? a->f->cert_why : "none is known";
}

/* The sentence on the certificates as it is where it says that there is none; else what speaks against them. */
static const char *usable_lead(const struct ask *a)
{
	static const char none[] = "there is no certificate";

	return strncmp(cert_why(a), none, sizeof none - 1) == 0 ? "" : "there is no usable certificate: ";
}

/* "mail must be encrypted", and why that is so where it is not simply the rule's word. */
static const char *must(const struct ask *a)
{
	if (a->f->reply_to_sealed)
		return "this is a reply to sealed mail and must be encrypted";
	if (a->strength == POLICY_REQUIRE)
		return "mail must be encrypted";
	if (a->f->seen_protected)
		return "mail with this partner was protected before and must stay so";
	return "mail should be encrypted";
}

/* Ours to mend, and the sender's message is as good later as now: so "later", not a bounce. */
static void no_signer(struct ask *a, const char *for_what)
{
	const char *why = a->f->signer_why;

	if (a->from[0])
		stop(a, POLICY_LATER,
		    "%s: %s, but %s has no usable signing certificate%s%s; add one with \"postern domain add %s\"",
		    a->to, for_what, a->from, why[0] ? ": " : "", why, a->from);
	else
		stop(a, POLICY_LATER,
		    "%s: %s, but there is no usable signing certificate for a notice without a sender%s%s; add one "
		    "with "
		    "\"postern domain add\"",
		    a->to, for_what, why[0] ? ": " : "", why);
}

/* Nothing that can be encrypted to, and it may not go without. */
static void refuse_seal(struct ask *a)
{
	const struct policy_out *f = a->f;

	if (f->seen_protected && !f->reply_to_sealed && a->strength != POLICY_REQUIRE)
		stop(a, POLICY_REFUSE,
		    "%s: %s, but %s%s; import one with \"postern cert import\", or end "
		    "the "
		    "protection with \"postern partner release %s\"",
		    a->to, must(a), usable_lead(a), cert_why(a), a->to);
	else
		stop(a, POLICY_REFUSE,
		    "%s: %s, but %s%s; ask the partner for a certificate and import it "
		    "with "
		    "\"postern cert import\"",
		    a->to, must(a), usable_lead(a), cert_why(a));
}

/* P1, P9: the one way from "seal" to less. Certificates that are there and not usable (expired, say) speak for
 * protection as one seen does. */
static bool may_seal_less(const struct ask *a)
{
	return a->strength == POLICY_PREFER && !a->f->seen_protected && !a->f->reply_to_sealed &&
	       a->f->certs == POLICY_CERTS_NONE;
}

static void decide_seal(struct ask *a)
{
	const struct policy_out *f = a->f;

	if (f->certs == POLICY_CERTS_UNCERTAIN)
		stop(a, POLICY_LATER, "%s: %s, and whether there is a certificate cannot be told now: %s", a->to,
		    must(a), cert_why(a));
	else if (may_seal_less(a))
		pass(a, POLICY_CLEAR, "not sealed for %s: %s%s", a->recipient,
		    usable_lead(a)[0] ? "there is no certificate: " : "", cert_why(a));
	else if (f->certs != POLICY_CERTS_USABLE)
		refuse_seal(a);
	else if (!f->have_signer)
		no_signer(a, must(a));
	else
		pass(a, POLICY_SEAL, "sealed for %s: %s%s", a->recipient,
		    f->reply_to_sealed ? "a reply to sealed mail; " : "", cert_why(a));
}

/* The partner's own word (XSMG): nothing that it reads carries a signature. */
static void sign_unread(struct ask *a)
{
	if (a->strength == POLICY_REQUIRE)
		stop(a, POLICY_REFUSE,
		    "%s: mail must be signed, but its statement says that its gateway reads nothing that is signed; "
		    "ask "
		    "the partner, or have mail encrypted without a signature: \"postern partner add %s --treatment "
		    "seal\"",
		    a->to, a->to);
	else
		pass(a, POLICY_CLEAR,
		    "not signed for %s: the statement of %s says that its gateway reads nothing that is signed",
		    a->recipient, a->to);
}

static void decide_sign(struct ask *a)
{
	if (a->f->reads_no_signed)
		sign_unread(a);
	else if (a->f->have_signer)
		pass(a, POLICY_SIGN, "signed for %s", a->recipient);
	else if (a->strength == POLICY_REQUIRE)
		no_signer(a, "mail must be signed");
	else
		pass(a, POLICY_CLEAR, "not signed for %s: %s has no usable signing certificate%s%s", a->recipient,
		    a->from, a->f->signer_why[0] ? ": " : "", a->f->signer_why);
}

static void decide_tls(struct ask *a)
{
	if (a->f->tls_verified_possible)
		pass(a, POLICY_TLS, "over verified TLS to %s", a->to);
	else if (a->strength == POLICY_REQUIRE)
		stop(a, POLICY_REFUSE,
		    "%s: mail must go over verified TLS, but neither DANE nor an enforced MTA-STS policy vouches for "
		    "its "
		    "mail hosts, and no relay-host is configured with \"relay-tls = verify\"; ask the partner for "
		    "one of "
		    "these, or import its certificate and have mail sealed",
		    a->to);
	else
		pass(a, POLICY_CLEAR, "there is no verified TLS to %s", a->to);
}

/* The admin said so, but for a partner seen protected saying so is not enough (P9): it takes the release, which
 * stands in the audit log. */
static void decide_clear(struct ask *a)
{
	if (a->f->seen_protected)
		stop(a, POLICY_REFUSE,
		    "%s: mail is to go unencrypted, but mail with this partner was protected before; end the "
		    "protection with "
		    "\"postern partner release %s\", or have it sealed with \"postern partner add %s --treatment "
		    "seal\"",
		    a->to, a->to, a->to);
	else
		pass(a, POLICY_CLEAR, "unprotected to %s, as asked", a->recipient);
}

/* The admin's word for this rule, in the audit log like a release: so it holds with "require", and for a partner seen
 * protected (P9), which every partner is after its first sealed mail. What answers sealed mail is never exempt. */
static bool is_exempt(const struct ask *a)
{
	return a->f->exempt && a->wanted >= POLICY_SIGN && !a->f->reply_to_sealed;
}

static void pass_exempt(struct ask *a)
{
	pass(a, POLICY_CLEAR, "not %s for %s: it is %s, which the rule exempts",
	    a->wanted == POLICY_SEAL ? "sealed" : "signed", a->recipient,
	    exemptions[a->f->exempt == POLICY_EXEMPT_CALENDAR ? 0 : 1].what);
}

static void (*const deciders[])(struct ask *) = {
    [POLICY_CLEAR] = decide_clear,
    [POLICY_TLS] = decide_tls,
    [POLICY_SIGN] = decide_sign,
    [POLICY_SEAL] = decide_seal,
};

void policy_outbound(
    const char *sender, const char *recipient, const struct policy_out *f, struct policy_decision *d_r)
{
	struct ask a = {
	    recipient, domain_of(recipient), domain_of(sender), f, f->treatment, f->strength, POLICY_CLEAR, d_r};

	REQUIRE(f->treatment >= POLICY_CLEAR && f->treatment <= POLICY_SEAL);
	memset(d_r, 0, sizeof *d_r);
	if (a.strength == POLICY_NEVER)
		a.treatment = POLICY_CLEAR;
	/* The reply quotes what came sealed: whatever the rule says, it goes as sealed as that came. */
	if (f->reply_to_sealed) {
		a.treatment = POLICY_SEAL;
		a.strength = POLICY_REQUIRE;
	}
	a.wanted = a.treatment;
	/* P9: signed or in TLS only is less than what the partner had */
	if (f->seen_protected && a.treatment < POLICY_SEAL)
		a.treatment = POLICY_CLEAR;
	if (is_exempt(&a))
		pass_exempt(&a);
	else
		deciders[a.treatment](&a);
}
