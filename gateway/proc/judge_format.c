/*
 * How mail for one recipient is written. Role judge; reads the store.
 *
 * What a reader said came in mail whose signature was verified and whose signer was believed for that reader
 * (judge_learn.c); nothing else from outside has a say. It chooses among what is above the floor and never asks for
 * less: an AES-128 reader gets AES-128, one that names nothing good enough gets the default.
 */
#include "gateway/proc/judge_format.h"

#include <stdio.h>
#include <string.h>

#include "gateway/cms/cms_enc.h"
#include "gateway/proc/judge_xsmg_use.h"

static bool is_gcm(uint8_t cipher)
{
	return cipher == CMS_AES_256_GCM || cipher == CMS_AES_192_GCM || cipher == CMS_AES_128_GCM;
}

/* The first of its kind in the reader's own order. -1 none. */
static int first_cipher(const struct cms_caps *caps, bool gcm, unsigned bits_min)
{
	for (size_t i = 0; i < caps->norder; i++)
		if (is_gcm(caps->order[i]) == gcm && format_cipher_bits(caps->order[i]) >= bits_min)
			return caps->order[i];
	return -1;
}

unsigned judge_format_apply(const struct cms_caps *caps, unsigned bits_min, struct format *f)
{
	/* GCM before CBC whatever the reader prefers: it tells of any change to the ciphertext */
	int cipher = first_cipher(caps, true, bits_min);
	unsigned decided = 0;

	if (cipher < 0)
		cipher = first_cipher(caps, false, bits_min);
	if (cipher >= 0) {
		f->cipher = (uint8_t)cipher;
		decided |= FORMAT_GIVEN(FORMAT_CIPHER);
	}
	if (caps->has & (CMS_CAPS_OAEP_SHA256 | CMS_CAPS_OAEP_SHA1)) {
		f->keymode = caps->has & CMS_CAPS_OAEP_SHA256 ? CMS_KEY_RSA_OAEP_SHA256 : CMS_KEY_RSA_OAEP_SHA1;
		decided |= FORMAT_GIVEN(FORMAT_KEY);
	}
	return decided;
}

int judge_format_floor(const struct judge_world *w, const struct format *f, const char *whose, struct problem *pr)
{
	if (format_cipher_bits(f->cipher) >= w->cipher_bits_min)
		return 0;
	return problem_policy(pr, "the format of %s asks for %s, which is below %u bits (format, cipher-bits-min)",
	    whose, format_cipher_word(f->cipher), w->cipher_bits_min);
}

static void use_caps(const struct judge_world *w, const struct judge_owner *o, struct judge_format *r)
{
	struct cms_caps caps;

	/* what was said last is the first; were it unreadable, it would not be there */
	if (!w->learn || o->ncaps == 0 || cms_caps_read(o->caps[0].caps, o->caps[0].ncaps, &caps) < 0)
		return;
	r->from_caps = judge_format_apply(&caps, w->cipher_bits_min, &r->f);
	r->said = o->caps[0].signing_time;
	(void)snprintf(r->signer, sizeof r->signer, "%s", o->caps[0].signer);
}

static int use_entry(
    const struct judge_world *w, const struct judge_owner *o, struct judge_format *r, struct problem *pr)
{
	unsigned given;
	size_t at = strlen(r->entries);

	if (!o->partner || !o->partner->format[0])
		return 0;
	if (format_read(o->partner->format, &r->f, &given, pr) < 0)
		return problem_temp(
		    pr, "the store is damaged: the format of partner %s is \"%s\"", o->name, o->partner->format);
	r->from_admin |= given;
	(void)snprintf(r->entries + at, sizeof r->entries - at, "%s%s", at ? " and " : "", o->name);
	return given & FORMAT_GIVEN(FORMAT_CIPHER) ? judge_format_floor(w, &r->f, o->name, pr) : 0;
}

/* A desktop shows GCM as an empty message (Thunderbird) or not at all: a default for everybody is not meant for it.
 */
static uint8_t without_gcm(uint8_t cipher)
{
	switch (cipher) {
	case CMS_AES_256_GCM:
		return CMS_AES_256_CBC;
	case CMS_AES_192_GCM:
		return CMS_AES_192_CBC;
	case CMS_AES_128_GCM:
		return CMS_AES_128_CBC;
	default:
		return cipher;
	}
}

int judge_format(const struct judge_world *w, struct store *s, const struct address *rcpt, bool personal,
    struct judge_format *f_r, struct problem *pr)
{
	const struct judge_owner *o;

	memset(f_r, 0, sizeof *f_r);
	f_r->f = w->format;
	if (!personal) {
		if (judge_cache_owner(w->cache, s, rcpt->domain, &o, pr) < 0)
			return -1;
		use_caps(w, o, f_r);
		f_r->from_statement = judge_xsmg_use_format(o, w->cipher_bits_min, &f_r->f);
		if (use_entry(w, o, f_r, pr) < 0)
			return -1;
	}
	if (judge_cache_person(w->cache, s, rcpt, &o, pr) < 0)
		return -1;
	if (personal) {
		f_r->f.cipher = without_gcm(f_r->f.cipher);
		use_caps(w, o, f_r);
	}
	if (use_entry(w, o, f_r, pr) < 0)
		return -1;
	f_r->from_statement &= ~f_r->from_admin;
	f_r->from_caps &= ~(f_r->from_admin | f_r->from_statement);
	f_r->from_default = FORMAT_ALL & ~(f_r->from_caps | f_r->from_statement | f_r->from_admin);
	return 0;
}
