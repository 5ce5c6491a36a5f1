/*
 * Failures of delivery, judged. Role relay. RFC 5321 4.2.1 (4yz transient, 5yz permanent), 4.2.5 (lost after
 * DATA), 4.5.3.1.10 (552 at RCPT), RFC 3463, RFC 7504 (521). No I/O.
 *
 * Until MAIL a refusal is about the host and not about the mail: it is temporary whatever its first digit, because
 * another host, or the same one an hour later, may take the mail; only 521 ("this host takes no mail,
 * ever") is permanent, and the pool lets it stand only when no other host says something milder.
 */
#include "gateway/smtp/smtpc_trouble.h"

#include <stdio.h>
#include <string.h>

#include "gateway/base/log.h"

static const struct {
	const char *after;	/* where the reply came */
	enum smtpc_scope scope; /* of a refusal */
	const char *enh;	/* subject.detail where the peer gives none */
} stages[SMTPC_STAGES] = {
    [SMTPC_STAGE_CONNECT] = {"to the connection", SMTPC_SITE, "4.1"},
    [SMTPC_STAGE_GREETING] = {"in its greeting", SMTPC_SITE, "3.2"},
    [SMTPC_STAGE_EHLO] = {"to EHLO", SMTPC_SITE, "3.2"},
    [SMTPC_STAGE_STARTTLS] = {"to STARTTLS", SMTPC_SITE, "7.4"},
    [SMTPC_STAGE_TLS] = {"during the TLS handshake", SMTPC_SITE, "7.5"},
    [SMTPC_STAGE_XSMG] = {"to XSMG", SMTPC_SITE, "3.2"},
    [SMTPC_STAGE_MAIL] = {"to MAIL", SMTPC_MESSAGE, "1.0"},
    [SMTPC_STAGE_RCPT] = {"to RCPT", SMTPC_RCPT, "1.0"},
    [SMTPC_STAGE_DATA] = {"to DATA", SMTPC_MESSAGE, "0.0"},
    [SMTPC_STAGE_CONTENT] = {"while the content was sent", SMTPC_MESSAGE, "0.0"},
    [SMTPC_STAGE_END] = {"to the content", SMTPC_MESSAGE, "0.0"},
};

static void begin(struct smtpc_trouble *t, enum smtpc_stage s, enum smtpc_scope scope)
{
	REQUIRE(s < SMTPC_STAGES);
	*t = (struct smtpc_trouble){.stage = s, .scope = scope};
}

/* RFC 5321 4.5.3.1.10: 552 at RCPT is an old 452 "too many recipients", unless it says by 5.2.2 that a mailbox is
 * full. */
static bool old_too_many(enum smtpc_stage s, const struct smtpc_reply *r)
{
	return s == SMTPC_STAGE_RCPT && r->code == 552 && (!r->enh[0] || strcmp(r->enh, "5.5.3") == 0);
}

static enum problem_class class_of(enum smtpc_stage s, const struct smtpc_reply *r)
{
	if (r->code < 500 || old_too_many(s, r))
		return PROBLEM_TEMP;
	if (s < SMTPC_STAGE_MAIL && r->code != 521)
		return PROBLEM_TEMP;
	return PROBLEM_PERM;
}

/* The peer's enhanced code where it fits the class that we give the problem, else one of ours. */
static void choose_enh(enum smtpc_stage s, const struct smtpc_reply *r, enum problem_class cls, char enh[12])
{
	char first = cls == PROBLEM_TEMP ? '4' : '5';

	if (r->enh[0] == first)
		snprintf(enh, 12, "%s", r->enh);
	else if (old_too_many(s, r))
		snprintf(enh, 12, "4.5.3");
	else
		snprintf(enh, 12, "%c.%s", first, stages[s].enh);
}

void smtpc_trouble_reply(struct smtpc_trouble *t, enum smtpc_stage s, const char *remote, const struct smtpc_reply *r)
{
	char enh[12];
	enum problem_class cls = class_of(s, r);
	int code = cls == PROBLEM_TEMP && r->code >= 500 ? 451 : r->code;

	REQUIRE(s < SMTPC_STAGES);
	begin(t, s, stages[s].scope);
	/* RFC 5321 3.8: 421 may come in place of any reply, and the host closes */
	t->over = r->code == 421 || t->scope == SMTPC_SITE || s == SMTPC_STAGE_CONTENT;
	if (r->code == 421 && s < SMTPC_STAGE_CONTENT)
		t->scope = SMTPC_SITE;
	choose_enh(s, r, cls, enh);
	smtpc_chat_words(r, t->reply);
	problem_set(&t->pr, cls, code, enh, "", "%s said %s: %s", remote, stages[s].after, t->reply);
}

/*
 * After the final dot nobody knows on which side of the peer's commit the connection broke. Sending again may make a
 * duplicate, not sending again may lose the mail: RFC 5321 4.2.5 chooses, and so do we.
 */
static void lost_after_end(struct smtpc_trouble *t, const char *remote, const char *what)
{
	begin(t, SMTPC_STAGE_END, SMTPC_MESSAGE);
	t->over = true;
	problem_set(&t->pr, PROBLEM_TEMP, 451, "4.4.2", "RFC 5321 4.2.5",
	    "%s did not answer after the whole message was sent (%s); it may have been delivered and will be sent "
	    "again, so a duplicate is possible",
	    remote, what);
}

void smtpc_trouble_lost(struct smtpc_trouble *t, enum smtpc_stage s, const char *remote, const char *why)
{
	if (s == SMTPC_STAGE_END) {
		lost_after_end(t, remote, why);
		return;
	}
	begin(t, s, SMTPC_SITE);
	t->over = true;
	if (s == SMTPC_STAGE_CONNECT)
		problem_set(&t->pr, PROBLEM_TEMP, 451, "4.4.1", "", "no connection to %s: %s", remote, why);
	else if (s == SMTPC_STAGE_CONTENT)
		problem_set(&t->pr, PROBLEM_TEMP, 451, "4.4.2", "",
		    "connection to %s lost while the content was sent: %s", remote, why);
	else
		problem_set(&t->pr, PROBLEM_TEMP, 451, "4.4.2", "",
		    "connection to %s lost while waiting for its reply %s: %s", remote, stages[s].after, why);
}

void smtpc_trouble_malformed(struct smtpc_trouble *t, enum smtpc_stage s, const char *remote, const char *why)
{
	char what[160];

	if (s == SMTPC_STAGE_END) {
		snprintf(what, sizeof what, "its reply is not SMTP: %s", why);
		lost_after_end(t, remote, what);
		return;
	}
	begin(t, s, SMTPC_SITE);
	t->over = true;
	problem_set(&t->pr, PROBLEM_TEMP, 451, "4.5.0", "RFC 5321 4.2", "%s does not speak SMTP as expected %s: %s",
	    remote, stages[s].after, why);
}

void smtpc_trouble_ours(struct smtpc_trouble *t, enum smtpc_stage s, const struct problem *pr)
{
	begin(t, s, SMTPC_MESSAGE);
	t->over = s >= SMTPC_STAGE_CONTENT;
	t->pr = *pr;
}

void smtpc_trouble_unfit(struct smtpc_trouble *t, const struct problem *pr)
{
	begin(t, SMTPC_STAGE_EHLO, SMTPC_SITE);
	t->over = true;
	t->unfit = true;
	t->pr = *pr;
}

static const char *demand_words(enum smtpc_demand d)
{
	return d == SMTPC_DEMAND_DANE	    ? "TLS with a certificate that its TLSA records name (DANE)"
	       : d == SMTPC_DEMAND_VERIFIED ? "TLS with a verified certificate"
					    : "TLS";
}

void smtpc_trouble_no_tls(
    struct smtpc_trouble *t, const char *remote, enum smtpc_demand demand, const struct smtpc_reply *r)
{
	begin(t, SMTPC_STAGE_STARTTLS, SMTPC_SITE);
	t->over = true;
	t->unprotected = true;
	if (r)
		smtpc_chat_words(r, t->reply);
	problem_set(&t->pr, PROBLEM_TEMP, 451, "4.7.4", "RFC 3207",
	    "%s is demanded for this destination, but %s %s%s%s; nothing was sent in the clear; ask its postmaster, "
	    "or "
	    "change the demand",
	    demand_words(demand), remote, r ? "refuses STARTTLS (" : "does not offer STARTTLS", t->reply,
	    r ? ")" : "");
}

void smtpc_trouble_tls(
    struct smtpc_trouble *t, const char *remote, enum smtpc_demand demand, const char *why, const char *cert)
{
	begin(t, SMTPC_STAGE_TLS, SMTPC_SITE);
	t->over = true;
	t->retry_clear = demand == SMTPC_DEMAND_NONE;
	t->unprotected = demand != SMTPC_DEMAND_NONE;
	if (demand == SMTPC_DEMAND_NONE)
		problem_set(&t->pr, PROBLEM_TEMP, 451, "4.7.5", "", "TLS with %s failed: %s", remote, why);
	else
		problem_set(&t->pr, PROBLEM_TEMP, 451, "4.7.5", "",
		    "%s is demanded for this destination, but TLS with %s failed: %s%s%s; nothing was sent in the "
		    "clear",
		    demand_words(demand), remote, why, *cert ? "; its certificate: " : "", cert);
}
