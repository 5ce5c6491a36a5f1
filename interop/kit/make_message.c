#include "interop/kit/make_message.h"

#include "interop/kit/make_layer.h"

#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *name;
	make_layer *make;
	size_t words; /* that it needs */
} layers[] = {
    {"from", layer_from, 1},
    {"to", layer_to, 1},
    {"cc", layer_cc, 1},
    {"subject", layer_subject, 1},
    {"header", layer_header, 1},
    {"type", layer_type, 1},
    {"file", layer_file, 1},
    {"raw", layer_raw, 1},
    {"large", layer_large, 1},
    {"wrap", layer_wrap, 0},
    {"protect", layer_protect, 0},
    {"mixed", layer_mixed, 0},
    {"forge", layer_forge, 1},
    {"sign", layer_sign, 0},
    {"encrypt", layer_encrypt, 0},
    {"compress", layer_compress, 0},
    {"damage", layer_damage, 1},
    {"disguise", layer_disguise, 1},
    {"base64", layer_base64, 0},
};

int make_check(const struct stmt *layer, struct buf *why)
{
	for (size_t i = 0; i < sizeof(layers) / sizeof(*layers); i++)
		if (!strcmp(layer->verb, layers[i].name)) {
			if (layer->n_words != layers[i].words)
				return fail(
				    why, "line %d: %s has %zu words", layer->line, layer->verb, layers[i].words);
			return 0;
		}
	return fail(why, "line %d: the layer \"%s\" is not known", layer->line, layer->verb);
}

static void begin(struct draft *d, const struct stmt *message, struct buf *text)
{
	struct buf date = {0};
	char *from = scene_text(d->s, "bob@{p}", NULL), *to = scene_text(d->s, "user@{own}", NULL),
	     *subject = scene_text(d->s, "{case} {nonce}", NULL),
	     *id = text_make("<%s.%s@%s>", message->words[0], d->s->nonce, from ? strchr(from, '@') + 1 : "invalid");

	time_add_rfc5322(&date, (time_t)(now_ms() / 1000));
	draft_field(d, "From", from ? from : "bob@invalid");
	draft_field(d, "To", to ? to : "user@invalid");
	draft_field(d, "Subject", subject ? subject : "");
	draft_field(d, "Date", date.p);
	draft_field(d, "Message-ID", id);
	draft_field(d, "MIME-Version", "1.0");
	d->line = 64;
	d->type = text_copy("text/plain; charset=utf-8");
	buf_add(&d->bare, text->p, text->n);
	if (d->bare.n == 0)
		buf_adds(&d->bare, "\r\n");
	buf_free(&date);
	free(from);
	free(to);
	free(subject);
	free(id);
}

static int one(struct draft *d, const struct stmt *layer, struct buf *why)
{
	struct buf said = {0};
	int rc = -1;

	if (make_check(layer, why) < 0)
		return -1;
	d->layer = layer;
	for (size_t i = 0; i < sizeof(layers) / sizeof(*layers); i++)
		if (!strcmp(layer->verb, layers[i].name))
			rc = layers[i].make(d, &said);
	if (rc < 0)
		fail(why, "line %d: %s: %s", layer->line, layer->verb, said.n ? said.p : "cannot be made");
	buf_free(&said);
	return rc;
}

static void end(struct draft *d)
{
	free(d->type);
	free(d->micalg);
	buf_free(&d->fields);
	buf_free(&d->header);
	buf_free(&d->body);
	buf_free(&d->object);
	buf_free(&d->bare);
	buf_free(&d->extra);
	free(d->encoding);
	ERR_clear_error();
}

/* Does it hide, sign or change what was written before? */
static bool is_layer(const struct stmt *s)
{
	return text_is_word_in(s->verb, "wrap,protect,sign,encrypt,compress,damage,disguise,mixed,forge");
}

static int make(struct scene *s, const struct stmt *message, bool plain, struct buf *out, struct buf *why)
{
	struct draft d = {.s = s};
	struct buf text = {0};
	int rc = 0;

	if (message->n_words != 1)
		return fail(why, "line %d: message has one name", message->line);
	if (message->text && scene_expand(s, message->text, &text, why) < 0) {
		buf_free(&text);
		return -1;
	}
	begin(&d, message, &text);
	for (size_t i = 0; rc == 0 && i < message->n_below && !(plain && is_layer(&message->below[i])); i++)
		rc = one(&d, &message->below[i], why);
	if (rc == 0) {
		if (d.kind == DRAFT_RAW) {
			buf_add(out, d.body.p, d.body.n);
		} else {
			buf_add(out, d.fields.p, d.fields.n);
			draft_entity(&d, out);
		}
	}
	end(&d);
	buf_free(&text);
	return rc;
}

int make_message(struct scene *s, const struct stmt *message, struct buf *out, struct buf *why)
{
	return make(s, message, false, out, why);
}

int make_plain(struct scene *s, const struct stmt *message, struct buf *out, struct buf *why)
{
	return make(s, message, true, out, why);
}
