/*
 * What shall happen to an incoming message, once opened and verified. Sealer; judge for explain. Pure. Result words:
 * RFC 7281 section 3.
 *
 * One table: encrypted or not, by what the signature is worth. Only a signature that is good, bound to From, and over
 * the whole message is "pass": a good signature over one part lends its seal to text that someone else put beside it.
 */
#include "gateway/policy/policy_in.h"

#include <stdio.h>
#include <string.h>

#include "gateway/base/log.h"

static const char *const actions[] = {"deliver", "mark", "hold"};

const char *policy_in_action_word(enum policy_in_action a)
{
	REQUIRE(a >= POLICY_DELIVER && a <= POLICY_HOLD);
	return actions[a];
}

int policy_in_action_parse(const char *w, enum policy_in_action *a_r)
{
	for (size_t i = 0; i < sizeof actions / sizeof *actions; i++)
		if (strcmp(actions[i], w) == 0) {
			*a_r = (enum policy_in_action)i;
			return 0;
		}
	return -1;
}

/* Whose word decides the action. */
enum ruled { BY_NONE, BY_UNSIGNED, BY_UNTRUSTED, BY_BROKEN, BY_SEALED };

struct row {
	enum ruled by;
	enum policy_in_action least; /* never less than this, whatever is configured */
	const char *result, *verdict, *says;
};

static const struct row clear_rows[POLICY_SIG_COUNT] = {
    [POLICY_SIG_NONE] = {BY_UNSIGNED, POLICY_DELIVER, "none", "clear", "neither signed nor encrypted"},
    [POLICY_SIG_GOOD] = {BY_NONE, POLICY_DELIVER, "pass", "signed", "signed"},
    [POLICY_SIG_BAD] = {BY_BROKEN, POLICY_DELIVER, "fail", "broken", "the signature is not valid"},
    [POLICY_SIG_UNTRUSTED] = {BY_UNTRUSTED, POLICY_DELIVER, "policy", "untrusted", "signed by someone not trusted"},
    [POLICY_SIG_UNBOUND] = {BY_UNTRUSTED, POLICY_DELIVER, "policy", "unbound", "signed, but not by the author"},
    [POLICY_SIG_TEMP] = {BY_UNTRUSTED, POLICY_MARK, "temperror", "temporary", "the signer cannot be judged now"},
    [POLICY_SIG_EXPIRED] = {BY_UNTRUSTED, POLICY_DELIVER, "policy", "expired",
	"signed with a certificate that has run out"},
    [POLICY_SIG_REVOKED] = {BY_UNTRUSTED, POLICY_MARK, "policy", "revoked",
	"signed with a certificate that was revoked"},
    [POLICY_SIG_PARTLY] = {BY_UNSIGNED, POLICY_MARK, "neutral", "partly-signed", "only a part is signed"},
    /* without an encryption there is no outside of it */
    [POLICY_SIG_OUTSIDE] = {BY_BROKEN, POLICY_MARK, "fail", "broken", "the signature is not valid"},
};

static const struct row sealed_rows[POLICY_SIG_COUNT] = {
    [POLICY_SIG_NONE] = {BY_SEALED, POLICY_DELIVER, "none", "encrypted", "encrypted, but not signed"},
    [POLICY_SIG_GOOD] = {BY_NONE, POLICY_DELIVER, "pass", "sealed", "encrypted and signed"},
    [POLICY_SIG_BAD] = {BY_SEALED, POLICY_DELIVER, "fail", "broken", "encrypted, but the signature is not valid"},
    [POLICY_SIG_UNTRUSTED] = {BY_SEALED, POLICY_DELIVER, "policy", "untrusted",
	"encrypted, signed by someone not trusted"},
    [POLICY_SIG_UNBOUND] = {BY_SEALED, POLICY_DELIVER, "policy", "unbound",
	"encrypted, but not signed by the author"},
    [POLICY_SIG_TEMP] = {BY_SEALED, POLICY_HOLD, "temperror", "temporary",
	"encrypted, and the signer cannot be judged now"},
    [POLICY_SIG_EXPIRED] = {BY_SEALED, POLICY_DELIVER, "policy", "expired",
	"encrypted, signed with a certificate that has run out"},
    [POLICY_SIG_REVOKED] = {BY_SEALED, POLICY_MARK, "policy", "revoked",
	"encrypted, signed with a certificate that was revoked"},
    [POLICY_SIG_PARTLY] = {BY_SEALED, POLICY_MARK, "neutral", "partly-signed",
	"encrypted, but only a part is signed"},
    [POLICY_SIG_OUTSIDE] = {BY_SEALED, POLICY_DELIVER, "policy", "encrypted", "encrypted, but signed outside only"},
};

static const struct row closed_row = {
    BY_NONE, POLICY_HOLD, "permerror", "broken", "encrypted, and could not be opened"};

static enum policy_in_action ruled(const struct policy_in_rules *r, enum ruled by)
{
	switch (by) {
	case BY_NONE:
		return POLICY_DELIVER;
	case BY_UNSIGNED:
		return r->unsigned_clear;
	case BY_UNTRUSTED:
		return r->untrusted;
	case BY_BROKEN:
		return r->broken;
	case BY_SEALED:
		return r->sealed_unsigned;
	}
	log_panic("no such rule: %d", (int)by);
}

static const struct row *find_row(const struct policy_in *f)
{
	enum policy_sig sig = f->sig;

	/* A message that was never encrypted has opened = false as well: there, open_why is empty. */
	if (!f->opened && (f->encrypted || f->open_why[0]))
		return &closed_row;
	REQUIRE(sig >= POLICY_SIG_NONE && sig < POLICY_SIG_COUNT);
	if (sig == POLICY_SIG_GOOD && !f->whole)
		sig = POLICY_SIG_PARTLY;
	return f->encrypted ? &sealed_rows[sig] : &clear_rows[sig];
}

/* True when the rule is to refuse. */
static bool at_least(enum policy_in_choice rule, struct policy_in_decision *d)
{
	enum policy_in_action least = rule == POLICY_CHOICE_REFUSE ? POLICY_HOLD : (enum policy_in_action)rule;

	if (d->action < least)
		d->action = least;
	return rule == POLICY_CHOICE_REFUSE;
}

/*
 * A report about a message of ours is its sender's only news of it, and those who send reports do not sign: it is not
 * held for that, but all it may bring is texts and header fields, marked. One about nothing of ours is what
 * backscatter and forgeries look like.
 */
static void weigh_dsn(
    const struct policy_in_rules *r, const struct policy_in *f, const struct row *row, struct policy_in_decision *d)
{
	if (f->dsn == POLICY_DSN_MATCHED && row == &clear_rows[POLICY_SIG_NONE] && d->action == POLICY_HOLD) {
		d->action = POLICY_MARK;
		d->header_only = true;
	}
	if (f->dsn != POLICY_DSN_UNMATCHED)
		return;
	d->refuse = at_least(r->dsn_unmatched, d);
}

/*
 * An encrypted part beside others is how content is carried off: a reader that opens it puts it into the middle of
 * what the attacker wrote around it. It is never opened here; whether the inside gets it to open is the admin's word.
 */
static void weigh_part(const struct policy_in_rules *r, const struct policy_in *f, struct policy_in_decision *d)
{
	if (f->part_why[0])
		d->refuse_part = at_least(r->part, d);
}

/*
 * A domain whose statement is trusted said that all its mail is signed, or encrypted: what is not so was not sent by
 * its gateway, or was taken apart on the way. What could not be opened, or cannot be judged now, is not known to be
 * other than promised; one whose certificate has run out was signed.
 */
static void weigh_promise(
    const struct policy_in_rules *r, const struct policy_in *f, const struct row *row, struct policy_in_decision *d)
{
	bool is_signed =
	    f->sig == POLICY_SIG_GOOD ? f->whole : f->sig == POLICY_SIG_TEMP || f->sig == POLICY_SIG_EXPIRED;
	enum policy_in_choice rule = r->promise;

	if (row == &closed_row)
		return;
	d->broken_signed = f->promised_signed && !is_signed;
	d->broken_encrypted = f->promised_encrypted && !f->encrypted;
	if ((!d->broken_signed && !d->broken_encrypted) || f->promise_test)
		return;
	/* the only news of a message of ours, which reporting programs do not sign */
	if (f->dsn == POLICY_DSN_MATCHED && rule > POLICY_CHOICE_MARK)
		rule = POLICY_CHOICE_MARK;
	d->refuse_promise = at_least(rule, d);
	(void)snprintf(d->result, sizeof d->result, "fail");
	(void)snprintf(d->verdict, sizeof d->verdict, "broken-promise");
}

static const char *promise_words(const struct policy_in *f, const struct policy_in_decision *d)
{
	static const char *const words[2][4] = {
	    {"", "; its domain promises that all its mail is signed, which this is not",
		"; its domain promises that all its mail is encrypted, which this is not",
		"; its domain promises that all its mail is signed and encrypted, and this is neither"},
	    {"", "; its domain promises, as a test, that all its mail is signed, which this is not",
		"; its domain promises, as a test, that all its mail is encrypted, which this is not",
		"; its domain promises, as a test, that all its mail is signed and encrypted, and this is neither"}};

	return words[f->promise_test][(d->broken_signed ? 1 : 0) + (d->broken_encrypted ? 2 : 0)];
}

static const char *dsn_words(const struct policy_in *f, const struct policy_in_decision *d)
{
	if (f->dsn == POLICY_DSN_UNMATCHED)
		return "; a delivery report about nothing that is known to have been sent from here";
	return d->header_only ? "; a delivery report about mail from here: delivered without content for that" : "";
}

void policy_inbound(const struct policy_in_rules *r, const struct policy_in *f, struct policy_in_decision *d_r)
{
	const struct row *row = find_row(f);
	const char *more = row == &closed_row ? f->open_why : f->sig_why;
	bool unbound = row->by == BY_NONE && row != &closed_row && f->recipients_signed && !f->recipient_bound;

	memset(d_r, 0, sizeof *d_r);
	d_r->action = ruled(r, row->by);
	if (d_r->action < row->least)
		d_r->action = row->least;
	weigh_dsn(r, f, row, d_r);
	weigh_part(r, f, d_r);
	(void)snprintf(d_r->result, sizeof d_r->result, "%s", row->result);
	(void)snprintf(d_r->verdict, sizeof d_r->verdict, "%s", row->verdict);
	weigh_promise(r, f, row, d_r);
	(void)snprintf(d_r->why, sizeof d_r->why, "%s%s%s%s%s%s%s%s", row->says, more[0] ? ": " : "", more,
	    f->part_why[0] ? "; " : "", f->part_why, dsn_words(f, d_r), promise_words(f, d_r),
	    unbound ? "; not every recipient stands in the signed To and Cc" : "");
}
