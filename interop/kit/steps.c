#include "interop/kit/steps.h"

#include <string.h>

#include "interop/kit/statement_steps.h"
#include "interop/kit/step_answers.h"
#include "interop/kit/step_chat.h"
#include "interop/kit/step_end.h"
#include "interop/kit/step_mail.h"

static void step_world(struct play *p, const struct stmt *st)
{
	(void)p; /* done by init */
	(void)st;
}

static void step_revoke(struct play *p, const struct stmt *st)
{
	struct buf why = {0};

	for (size_t i = 0; i < st->n_words; i++)
		if (world_revoke(p->s->world, p->s->c, st->words[i], &why) < 0)
			scene_found(p->s, NOT_RUN, st->line, "revoke: %s", why.p);
	buf_free(&why);
}

static void step_pause(struct play *p, const struct stmt *st)
{
	int64_t ms;

	if (span_read(stmt_word(st, 0, ""), &ms) < 0 || ms < 0 || ms > 120000)
		scene_found(p->s, NOT_RUN, st->line, "pause takes a time to 120s");
	else
		pause_ms(ms);
}

/* words: how many at least; below: may statements stand below it */
static const struct step {
	const char *verb;
	size_t words;
	void (*run)(struct play *, const struct stmt *);
	bool below;
	const char *attributes; /* that it knows; with commas */
} table[] = {
    {"domain", 1, step_world, false, "zone"},
    {"cert", 1, step_world, false,
	"key,issuer,names,subject,usage,eku,from,until,status,revocation,aia,hash,ca,pathlen,permit,exclude,policy,"
	"critical,serial"},
    {"give", 1, step_world, false, "for"},
    {"partner", 1, step_world, false, "treatment,strength,find"},
    {"anchor", 1, step_world, false, "for"},
    {"zone", 1, step_world, false, ""},
    {"publish", 1, step_publish, false,
	"at,url,hash,usage,selector,matching,attribute,srv,format,by,key,priority,weight"},
    {"unpublish", 2, step_publish, false, "at,by,key"},
    {"republish", 1, step_publish, false, "by,key"},
    {"statement", 1, step_statement, true,
	"signer,certificates,from,second,serial,issued,expires,domain,content,keys,signatures,formats,headers,signs,"
	"encrypts,promise-until,demand,status,member,critical,pad,type,damage"},
    {"message", 1, step_message, true, ""},
    {"submit", 0, step_submit, true, "to,from,subject,reply,bcc,message,tls"},
    {"deliver", 1, step_deliver, false, "to,from,reply,tls"},
    {"await", 1, step_await, true, "to,within,count"},
    {"outcome", 1, step_outcome, true, "to,is"},
    {"never", 1, step_never, false, "to,containing"},
    {"chat", 1, step_chat, true, "tls"},
    {"same-answers", 1, step_same_answers, false, "to,from,times,tls"},
    {"xsmg", 1, step_xsmg, true, "domain,reply,as,have,tls"},
    {"fetch", 1, step_fetch, true, "as,status"},
    {"revoke", 1, step_revoke, false, ""},
    {"pause", 1, step_pause, false, ""},
};

static const struct step *find(const char *verb)
{
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++)
		if (!strcmp(table[i].verb, verb))
			return &table[i];
	return NULL;
}

void steps_do(struct play *p, const struct stmt *st)
{
	const struct step *step = find(st->verb);

	if (step)
		step->run(p, st);
	else
		scene_found(p->s, NOT_RUN, st->line, "unknown statement \"%s\"", st->verb);
}

int steps_check(const struct stmt *st, struct buf *why)
{
	const struct step *step = find(st->verb);
	int rc = 0;

	if (!step)
		return fail(why, "line %d: unknown statement \"%s\"", st->line, st->verb);
	if (st->n_words < step->words)
		rc = fail(why, "line %d: %s needs %zu words", st->line, st->verb, step->words);
	if (st->n_below > 0 && !step->below)
		rc = fail(why, "line %d: nothing may stand below %s", st->line, st->verb);
	for (size_t i = 0; i < st->n_attributes; i++)
		if (!text_is_word_in(st->attributes[i].name, step->attributes))
			rc = fail(why, "line %d: %s knows no %s=", st->line, st->verb, st->attributes[i].name);
	if (!strcmp(st->verb, "await") || !strcmp(st->verb, "outcome"))
		for (size_t i = 0; i < st->n_below; i++)
			if (expect_check(&st->below[i], why) < 0)
				rc = -1;
	return rc;
}
