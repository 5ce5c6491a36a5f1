/*
 * A MIME entity into 7-bit form, before it is signed in the clear or for a host without 8BITMIME: RFC 8551 3.1.2
 * and 3.1.3, RFC 2045 6.4, RFC 2046 5.1, RFC 6152 3. Pure; sealer. Parts that are 7-bit already go through octet for
 * octet, header and all; of the others the body is encoded and Content-Transfer-Encoding set, in its place.
 * Streaming: memory is one header a level.
 *
 * Written on our own MIME walk and not on GMime: that holds the whole message in memory and writes header fields
 * anew. A multipart/signed inside that is not 7-bit is refused: any change would break the signature of somebody
 * else.
 */
#include "gateway/mail/sevenbit.h"

#include <string.h>

#include "gateway/mail/mime.h"
#include "gateway/mail/mime_facts.h"
#include "gateway/mail/sevenbit_body.h"
#include "gateway/mail/sevenbit_header.h"

#define ARENA_MOST (4u << 20)

struct job {
	struct reader *r;
	struct writer *w;
	struct problem *pr;
	const struct mime_limits *lim;
	bool lines; /* lines are wanted, of 7 or 8 bits */
};

/* RFC 2046 5.1.5: in a digest a part without a type is a message. */
enum place { PLACE_PART, PLACE_DIGEST };

static int entity(struct job *j, uint64_t off, uint64_t len, size_t depth, enum place place);

static int refuse(struct job *j, const char *why)
{
	return problem_set(j->pr, PROBLEM_PERM, 554, "5.6.3", "RFC 8551 3.1.2",
	    "The message cannot be put into 7-bit form: %s.", why);
}

static int look(struct job *j, uint64_t off, uint64_t len, bool *needed_r)
{
	return j->lines ? sevenbit_body_bare(j->r, off, len, false, needed_r, j->pr)
			: sevenbit_body_needed(j->r, off, len, needed_r, j->pr);
}

/* Where text merely has LF for CRLF, lines are made of it by whoever writes it out, as of any such mail. */
static int look_leaf(struct job *j, const struct mime_entity *e, bool *needed_r)
{
	bool text = strcmp(e->type.type, "text") == 0, encoded = e->cte == MIME_CTE_BASE64 || e->cte == MIME_CTE_QP;

	if (j->lines && e->cte != MIME_CTE_BINARY && (text || encoded))
		return sevenbit_body_bare(j->r, e->body_off, e->body_len, true, needed_r, j->pr);
	return look(j, e->body_off, e->body_len, needed_r);
}

static int put_header(struct job *j, const struct mime_entity *e, const char *cte)
{
	return j->lines ? sevenbit_header_relabel(&e->header, cte, j->w, j->pr)
			: sevenbit_header_write(&e->header, cte, j->w, j->pr);
}

/* What stands between parts: delimiters, preamble, epilogue. */
static int between(struct job *j, uint64_t off, uint64_t end)
{
	bool needed;

	if (off >= end)
		return 0;
	if (look(j, off, end - off, &needed))
		return -1;
	if (needed && !j->lines)
		return sevenbit_body_write(j->r, off, end - off, SEVENBIT_PLAIN, j->w, j->pr);
	return stream_copy(j->r, off, end - off, j->w, j->pr);
}

/* The label of a container whose content is 7-bit now, or lines; NULL when it says so already. */
static const char *container_cte(const struct job *j, const struct mime_entity *e)
{
	if (j->lines)
		return e->cte == MIME_CTE_BINARY ? "8bit" : NULL;
	return e->cte == MIME_CTE_7BIT ? NULL : "7bit";
}

/* What was signed is not touched; the header above it may be. */
static int signed_whole(struct job *j, const struct mime_entity *e)
{
	bool needed;

	if (look(j, e->body_off, e->body_len, &needed))
		return -1;
	if (needed && !j->lines)
		return refuse(j, "a part of it is signed and has 8-bit text or overlong lines");
	if (put_header(j, e, container_cte(j, e)))
		return -1;
	return stream_copy(j->r, e->body_off, e->body_len, j->w, j->pr);
}

static int multipart(struct job *j, struct arena *a, const struct mime_entity *e, size_t depth)
{
	struct mime_range *parts;
	uint64_t at = e->body_off;
	enum place place = mime_is(&e->type, "multipart", "digest") ? PLACE_DIGEST : PLACE_PART;
	size_t n;

	if (mime_is(&e->type, "multipart", "signed"))
		return signed_whole(j, e);
	if (mime_parts(a, j->r, e, j->lim, &parts, &n, j->pr))
		return -1;
	if (put_header(j, e, container_cte(j, e)))
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (between(j, at, parts[i].off) || entity(j, parts[i].off, parts[i].len, depth + 1, place))
			return -1;
		at = parts[i].off + parts[i].len;
	}
	return between(j, at, e->body_off + e->body_len);
}

static int message(struct job *j, const struct mime_entity *e, size_t depth)
{
	if (put_header(j, e, container_cte(j, e)))
		return -1;
	return entity(j, e->body_off, e->body_len, depth + 1, PLACE_PART);
}

/* Quoted-printable keeps text readable; above one octet in six base64 is shorter. */
static int new_form(struct job *j, const struct mime_entity *e, enum sevenbit_form *form_r, const char **cte_r)
{
	bool text = strcmp(e->type.type, "text") == 0 || strcmp(e->type.type, "message") == 0;
	uint64_t odd;

	if (sevenbit_body_odd(j->r, e->body_off, e->body_len, &odd, j->pr))
		return -1;
	text = text && odd <= e->body_len / 6;
	*form_r = text ? SEVENBIT_QP : SEVENBIT_BASE64;
	*cte_r = text ? "quoted-printable" : "base64";
	return 0;
}

/* The header is what needs changing, the body is not. */
static int leaf_header(struct job *j, const struct mime_entity *e)
{
	const char *cte = e->cte == MIME_CTE_8BIT || e->cte == MIME_CTE_BINARY ? "7bit" : NULL;

	if (j->lines)
		cte = e->cte == MIME_CTE_BINARY ? "8bit" : NULL;
	if (put_header(j, e, cte))
		return -1;
	return stream_copy(j->r, e->body_off, e->body_len, j->w, j->pr);
}

static int leaf(struct job *j, const struct mime_entity *e)
{
	enum sevenbit_form form = SEVENBIT_QP_REPAIR;
	const char *cte = NULL;
	bool needed;

	if (look_leaf(j, e, &needed))
		return -1;
	if (!needed)
		return leaf_header(j, e);
	if (e->cte == MIME_CTE_OTHER)
		return refuse(j, "a part has an unknown Content-Transfer-Encoding and is not 7-bit");
	if (e->cte == MIME_CTE_BASE64)
		form = SEVENBIT_BASE64_REWRAP;
	else if (e->cte != MIME_CTE_QP && new_form(j, e, &form, &cte))
		return -1;
	if (put_header(j, e, cte))
		return -1;
	return sevenbit_body_write(j->r, e->body_off, e->body_len, form, j->w, j->pr);
}

static int changed(struct job *j, struct arena *a, uint64_t off, uint64_t len, size_t depth, enum place place)
{
	struct mime_entity e;

	if (mime_entity_read(a, j->r, off, len, j->lim, &e, j->pr))
		return -1;
	if (strcmp(e.type.type, "multipart") == 0)
		return multipart(j, a, &e, depth);
	if (mime_facts_holds_message(&e) || (place == PLACE_DIGEST && !header_find(&e.header, "Content-Type", 0)))
		return message(j, &e, depth);
	return leaf(j, &e);
}

/* Every level looks at its octets first: what needs nothing is copied whole, signed parts above all. */
static int entity(struct job *j, uint64_t off, uint64_t len, size_t depth, enum place place)
{
	struct arena *a;
	bool needed;
	int result;

	if (depth > j->lim->depth)
		return refuse(j, "its parts are nested too deep");
	if (look(j, off, len, &needed))
		return -1;
	if (!needed)
		return stream_copy(j->r, off, len, j->w, j->pr);
	a = arena_new(ARENA_MOST);
	result = changed(j, a, off, len, depth, place);
	arena_free(a);
	return result;
}

int sevenbit_write(struct reader *r, uint64_t off, uint64_t len, size_t max, struct writer *w, struct problem *pr)
{
	struct job j = {.r = r, .w = w, .pr = pr, .lim = &mime_limits_default};

	if (len > max)
		return problem_set(pr, PROBLEM_PERM, 552, "5.3.4", "",
		    "The message is larger than the %zu octets up to which messages are put into 7-bit form.", max);
	return entity(&j, off, len, 0, PLACE_PART);
}

int sevenbit_lines_write(struct reader *r, uint64_t off, uint64_t len, struct writer *w, struct problem *pr)
{
	struct job j = {.r = r, .w = w, .pr = pr, .lim = &mime_limits_default, .lines = true};

	return entity(&j, off, len, 0, PLACE_PART);
}
