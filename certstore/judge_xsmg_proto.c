/*
 * relay <-> judge about statements, encoder above decoder for each message. Relay, judge; pure. Each end takes
 * nothing on trust: numbers are held to their enums, octets to the largest statement, names and ids to their
 * alphabets.
 */
#include "certstore/judge_xsmg_proto.h"

#include <ctype.h>
#include <string.h>

#include "gateway/base/ipc_field.h"

/* A name in lower case, or none. */
static void get_domain(struct ipc_in *in, char out[JUDGE_XSMG_DOMAIN], bool may_be_none)
{
	ipc_get_str(in, out, JUDGE_XSMG_DOMAIN);
	if (out[0] == '\0' && !may_be_none)
		in->bad = true;
	for (const char *p = out; *p; p++)
		if (!(*p >= 'a' && *p <= 'z') && !(*p >= '0' && *p <= '9') && !strchr("-._", *p))
			in->bad = true;
}

static void get_id(struct ipc_in *in, char out[JUDGE_XSMG_ID + 1], bool may_be_none)
{
	size_t n;

	ipc_get_str(in, out, JUDGE_XSMG_ID + 1);
	n = strlen(out);
	if (n != JUDGE_XSMG_ID && !(n == 0 && may_be_none))
		in->bad = true;
	for (const char *p = out; *p; p++)
		if (!isascii((unsigned char)*p) || !(isalnum((unsigned char)*p) || *p == '-' || *p == '_'))
			in->bad = true;
}

/* ---- JUDGE_STATEMENT_GET ---- */

void judge_statement_get_put(struct ipc_out *o, const struct judge_statement_get *m)
{
	ipc_put_str(o, m->domain);
	ipc_put_str(o, m->id);
}

int judge_statement_get_get(struct ipc_in *in, struct judge_statement_get *m_r)
{
	memset(m_r, 0, sizeof *m_r);
	get_domain(in, m_r->domain, false);
	get_id(in, m_r->id, true);
	return ipc_end(in);
}

/* ---- JUDGE_STATEMENT_FOUND ---- */

void judge_statement_found_put(struct ipc_out *o, const struct judge_statement_found *m)
{
	ipc_put_u8(o, (uint8_t)m->status);
	ipc_put_str(o, m->id);
	judge_octets_put(o, &m->der);
}

int judge_statement_found_get(struct ipc_in *in, struct arena *a, struct judge_statement_found *m_r)
{
	bool newer, has_id;

	memset(m_r, 0, sizeof *m_r);
	m_r->status = ipc_field_number(in, 0, JUDGE_STATEMENT_LATER);
	newer = m_r->status == JUDGE_STATEMENT_NEWER;
	has_id = newer || m_r->status == JUDGE_STATEMENT_CURRENT;
	get_id(in, m_r->id, !has_id);
	judge_octets_get(in, a, JUDGE_XSMG_OCTETS, &m_r->der);
	if (newer != (m_r->der.n > 0) || has_id != (m_r->id[0] != '\0'))
		in->bad = true;
	return ipc_end(in);
}

/* ---- JUDGE_STATEMENT_CAME ---- */

void judge_statement_came_put(struct ipc_out *o, const struct judge_statement_came *m)
{
	ipc_put_str(o, m->domain);
	ipc_put_u8(o, (uint8_t)m->how);
	ipc_put_u8(o, m->verified ? 1 : 0);
	ipc_put_str(o, m->remote);
	judge_octets_put(o, &m->der);
}

int judge_statement_came_get(struct ipc_in *in, struct arena *a, struct judge_statement_came *m_r)
{
	memset(m_r, 0, sizeof *m_r);
	get_domain(in, m_r->domain, false);
	m_r->how = ipc_field_number(in, 0, JUDGE_STATEMENT_ANSWER);
	m_r->verified = ipc_field_bool(in);
	ipc_get_str(in, m_r->remote, sizeof m_r->remote);
	judge_octets_get(in, a, JUDGE_XSMG_OCTETS, &m_r->der);
	if (m_r->der.n == 0)
		in->bad = true;
	return ipc_end(in);
}

/* ---- JUDGE_XSMG_DUE ---- */

void judge_xsmg_question_put(struct ipc_out *o, const struct judge_xsmg_question *m)
{
	ipc_put_str(o, m->ours);
	ipc_put_str(o, m->partner);
}

int judge_xsmg_question_get(struct ipc_in *in, struct judge_xsmg_question *m_r)
{
	memset(m_r, 0, sizeof *m_r);
	get_domain(in, m_r->ours, true);
	get_domain(in, m_r->partner, false);
	return ipc_end(in);
}

/* ---- JUDGE_XSMG_DUTY ---- */

void judge_xsmg_duty_put(struct ipc_out *o, const struct judge_xsmg_duty *m)
{
	ipc_put_u8(o, m->expected ? 1 : 0);
	ipc_put_u8(o, m->get ? 1 : 0);
	ipc_put_str(o, m->held);
	ipc_put_u8(o, m->put ? 1 : 0);
	ipc_put_str(o, m->own);
	judge_octets_put(o, &m->der);
	ipc_put_u32(o, m->keep_s);
}

int judge_xsmg_duty_get(struct ipc_in *in, struct arena *a, struct judge_xsmg_duty *m_r)
{
	memset(m_r, 0, sizeof *m_r);
	m_r->expected = ipc_field_bool(in);
	m_r->get = ipc_field_bool(in);
	get_id(in, m_r->held, true);
	m_r->put = ipc_field_bool(in);
	get_id(in, m_r->own, !m_r->put);
	judge_octets_get(in, a, JUDGE_XSMG_OCTETS, &m_r->der);
	m_r->keep_s = ipc_get_u32(in);
	if (m_r->put != (m_r->der.n > 0))
		in->bad = true;
	return ipc_end(in);
}

/* ---- JUDGE_XSMG_NOTE ---- */

void judge_xsmg_note_put(struct ipc_out *o, const struct judge_xsmg_note *m)
{
	ipc_put_u8(o, (uint8_t)m->seen);
	ipc_put_str(o, m->ours);
	ipc_put_str(o, m->partner);
	ipc_put_str(o, m->id);
	ipc_put_u8(o, m->verified ? 1 : 0);
	ipc_put_str(o, m->remote);
	ipc_put_str(o, m->words);
}

static bool has_id(enum judge_xsmg_seen seen)
{
	return seen == JUDGE_XSMG_CURRENT || seen == JUDGE_XSMG_TAKEN || seen == JUDGE_XSMG_UNTAKEN ||
	       seen == JUDGE_XSMG_NAMED || seen == JUDGE_XSMG_NAMED_INSIDE;
}

int judge_xsmg_note_get(struct ipc_in *in, struct judge_xsmg_note *m_r)
{
	memset(m_r, 0, sizeof *m_r);
	m_r->seen = ipc_field_number(in, 0, JUDGE_XSMG_NAMED_INSIDE);
	get_domain(in, m_r->ours, true);
	get_domain(in, m_r->partner, false);
	get_id(in, m_r->id, !has_id(m_r->seen));
	m_r->verified = ipc_field_bool(in);
	ipc_get_str(in, m_r->remote, sizeof m_r->remote);
	ipc_get_str(in, m_r->words, sizeof m_r->words);
	return ipc_end(in);
}
