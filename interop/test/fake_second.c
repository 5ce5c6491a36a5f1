#include "interop/test/fake_second.h"

#include "interop/kit/second.h"

#include <stdlib.h>

static enum fake_second says;
static unsigned asked;

void fake_second_says(enum fake_second how)
{
	says = how;
}

unsigned fake_second_asked(void)
{
	return asked;
}

struct second *second_open(const struct kit *k, struct buf *why)
{
	(void)k;
	(void)why;
	return need(1);
}

void second_close(struct second *j)
{
	free(j);
}

const char *second_name(const struct second *j)
{
	(void)j;
	return "Fake 1";
}

static json_t *recipients(const struct layer *l)
{
	json_t *all = json_array();

	for (size_t i = 0; i < l->n_recipients; i++)
		json_array_append_new(
		    all, json_pack("{s:s,s:s}", l->recipients[i].by_ski ? "ski" : "issuer-serial-sha256",
			     l->recipients[i].id, "keys", l->recipients[i].keys));
	return all;
}

static json_t *attributes(const struct signer *s)
{
	json_t *all = json_array();

	for (size_t i = says == FAKE_OTHER_ATTRIBUTES; i < s->n_attributes; i++)
		json_array_append_new(all, json_string(s->attributes[i]));
	return all;
}

static json_t *signers(const struct layer *l)
{
	static const char other[] = "0000000000000000000000000000000000000000000000000000000000000000";
	json_t *all = json_array();

	for (size_t i = 0; i < l->n_signers; i++) {
		json_t *o = json_pack("{s:s,s:s,s:b}", "cert-sha256",
		    says == FAKE_OTHER_SIGNER ? other : l->signers[i].cert_sha256, "digest", l->signers[i].digest,
		    "valid", l->signers[i].valid != (says == FAKE_OTHER_VALIDITY));

		if (says != FAKE_TELLS_LITTLE) {
			json_object_set_new(o, "attributes", attributes(&l->signers[i]));
			json_object_set_new(o, "certificate-inside", json_boolean(l->signers[i].inside));
		}
		json_array_append_new(all, o);
	}
	return all;
}

static json_t *layer(const struct layer *l)
{
	json_t *o = json_object();

	json_object_set_new(o, "kind", json_string(says == FAKE_OTHER_KIND ? "compressed" : layer_names[l->kind]));
	if (l->cipher && says != FAKE_TELLS_LITTLE) {
		json_object_set_new(o, "cipher", json_string(l->cipher));
		json_object_set_new(o, "recipients", recipients(l));
	} else if (!l->cipher && l->kind != LAYER_COMPRESSED) {
		json_object_set_new(o, "signers", signers(l));
	}
	return o;
}

/* What the first judge sees, changed as the test wants it. */
json_t *second_judge(struct second *j, const void *octets, size_t n, const struct credential *const *keys,
    size_t n_keys, struct buf *why)
{
	json_t *out = json_pack("{s:i,s:b,s:[]}", "id", 1, "ok", 1, "layers"),
	       *layers = json_object_get(out, "layers");
	struct judged first;
	unsigned char hash[32];
	struct buf hex = {0};

	(void)j;
	asked++;
	if (says == FAKE_CANNOT) {
		json_decref(out);
		fail(why, "this it does not know");
		return NULL;
	}
	judge(octets, n, keys, n_keys, &first);
	for (size_t i = 0; i < first.n; i++)
		json_array_append_new(layers, layer(&first.layers[i]));
	sha256_of(first.content.p ? first.content.p : "", first.content.n, hash);
	hash[0] ^= says == FAKE_OTHER_CONTENT;
	hex_add(&hex, hash, sizeof(hash));
	if (first.whole)
		json_object_set_new(out, "content-sha256", json_string(hex.p));
	if (first.broken || says == FAKE_BROKEN)
		json_object_set_new(out, "broken", json_string("it does not like it"));
	buf_free(&hex);
	judged_free(&first);
	return out;
}
