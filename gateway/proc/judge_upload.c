/*
 * A file with certificates that came with an admin request. Role judge. The admin confirms by fingerprint what is
 * taken: between the preview and the import the file cannot be exchanged for another.
 */
#include "gateway/proc/judge_upload.h"

#include <string.h>

#include "gateway/base/log.h"
#include "gateway/base/mem.h"

int judge_upload_read(struct judge_call *c, const char *name, struct judge_upload *u_r)
{
	uint8_t *p;
	size_t n;
	int got;

	memset(u_r, 0, sizeof *u_r);
	if (json_string_length(json_object_get(c->args, name)) / 4 * 3 > CERT_FILE_MAX + 2)
		return judge_call_fail(c, "refused",
		    "the file is larger than 4 MiB, the most that is read of one: give its certificates in several "
		    "files");
	if (judge_call_octets(c, name, JUDGE_MUST, CERT_FILE_MAX, &p, &n) < 0)
		return -1;
	got = cert_read_any(p, n, u_r->list, JUDGE_UPLOAD_MAX, c->pr);
	mem_free_secret(p, n); /* it may hold what it should not */
	if (got < 0) {
		c->code = "refused";
		return -1;
	}
	u_r->n = (size_t)got;
	return 0;
}

void judge_upload_clear(struct judge_upload *u)
{
	cert_list_free(u->list, u->n);
	u->n = 0;
}

uint8_t *judge_upload_der(X509 *x, size_t *n_r)
{
	unsigned char *der = NULL;
	int n = i2d_X509(x, &der);

	REQUIRE(n > 0); /* it was parsed from DER */
	*n_r = (size_t)n;
	return der;
}

static int choose_one(struct judge_call *c, const char *text, struct judge_upload *u)
{
	char want[CERT_HASH_TEXT];
	struct cert_facts f;

	if (judge_call_fingerprint(c, text, want) < 0)
		return -1;
	if (strlen(want) != CERT_HASH_TEXT - 1)
		return judge_call_fail(
		    c, "usage", "\"%.80s\" is not a whole SHA-256 fingerprint (64 hex digits)", text);
	for (size_t i = 0; i < u->n; i++) {
		cert_facts(u->list[i], &f);
		if (strcmp(f.sha256, want) != 0)
			continue;
		u->nchosen += !u->chosen[i];
		u->chosen[i] = true;
		return 0;
	}
	return judge_call_fail(
	    c, "refused", "no certificate in the file has the fingerprint %s: look at it again with a preview", want);
}

static int choose_only(struct judge_call *c, struct judge_upload *u)
{
	if (u->n != 1)
		return judge_call_fail(c, "usage",
		    "there are %zu certificates in the file: name those that are meant by their fingerprints "
		    "(argument \"sha256\")",
		    u->n);
	u->chosen[0] = true;
	u->nchosen = 1;
	return 0;
}

int judge_upload_choose(struct judge_call *c, enum judge_need need, struct judge_upload *u)
{
	json_t *list = json_object_get(c->args, "sha256"), *v;
	size_t i;

	if (!list && need == JUDGE_MAY)
		return choose_only(c, u);
	if (!json_is_array(list) || json_array_size(list) == 0)
		return judge_call_fail(
		    c, "usage", "argument \"sha256\" must be a list of the fingerprints that were compared");
	json_array_foreach(list, i, v)
	{
		if (!json_is_string(v))
			return judge_call_fail(c, "usage", "argument \"sha256\" must be a list of strings");
		if (choose_one(c, json_string_value(v), u) < 0)
			return -1;
	}
	return 0;
}
