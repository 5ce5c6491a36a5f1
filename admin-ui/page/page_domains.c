#include "admin-ui/page/page_domains.h"

#include <string.h>

#include "admin-ui/page/page_args.h"
#include "admin-ui/page/page_certs.h"
#include "admin-ui/page/page_form.h"
#include "admin-ui/page/page_json.h"
#include "admin-ui/page/page_state.h"

static const struct {
	const char *word, *class, *text;
} standing[] = {
    {"signs", "good", "signs"},
    {"opens", "good", "opens"},
    {"only opens", "info", "only opens"},
    {"TLS", "good", "TLS"},
    {"waits", "warn", "waits for its certificate"},
    {"announced", "info", "announced"},
    {"signs statements", "good", "signs statements"},
    {"nothing", "", "not in use"},
    {"retired", "", "retired"},
};

static void key(json_t *o)
{
	const char *does = page_json_str(o, "does");
	json_t *cert = json_object_get(o, "certificate");

	page_certs_facts(cert);
	for (size_t i = 0; i < sizeof standing / sizeof *standing; i++)
		if (strcmp(standing[i].word, does) == 0)
			page_json_set(o, "badge",
			    json_pack("{s:s, s:s}", "word", standing[i].text, "class", standing[i].class));
	page_json_set(o, "in_use", json_boolean(!page_json_is(o, "retired")));
}

static void keys(json_t *model)
{
	json_t *o;
	size_t i;

	json_array_foreach(page_json_list(model, "list.identities"), i, o) key(o);
}

/* An entry of the domain in the array, made when there is none. */
static json_t *entry(json_t *domains, const char *name)
{
	json_t *o, *list;
	size_t i;

	json_array_foreach(domains, i, o) if (strcmp(page_json_str(o, "domain"), name) == 0) return o;
	o = json_object();
	list = json_array();
	page_json_set(o, "domain", page_json_text(name));
	page_json_set(o, "keys", list);
	page_json_add(domains, o);
	return o;
}

void page_domains_list(const struct page_request *rq, json_t *model)
{
	json_t *domains = json_array(), *o;
	size_t i, n = 0;

	(void)rq;
	page_certs_tabs(model, "domains");
	keys(model);
	json_array_foreach(page_json_list(model, "list.without"), i, o)
	{
		page_json_set(
		    entry(domains, page_json_str(o, "domain")), "why", page_json_text(page_json_str(o, "why")));
		n++;
	}
	json_array_foreach(page_json_list(model, "list.identities"), i, o) if (page_json_is(o, "in_use"))
	    page_json_add(json_object_get(entry(domains, page_json_str(o, "domain")), "keys"), json_incref(o));
	page_json_set(model, "domains", domains);
	page_json_set(model, "headline",
	    json_array_size(domains) == 0 ? json_string("No domain has keys")
	    : n == 0			  ? json_string("All our domains can sign")
	    : n == 1			  ? json_string("One of our domains cannot sign")
					  : page_json_textf("%zu of our domains cannot sign", n));
}

static const struct page_form_choice modes[] = {
    {"csr", "requests for a certification authority"}, {"self", "certificates signed by themselves"}, {NULL, NULL}};
static const struct page_form_choice algos[] = {{"rsa-2048", "RSA 2048"}, {"rsa-3072", "RSA 3072"},
    {"rsa-4096", "RSA 4096"}, {"ec-p256", "EC P-256"}, {"ec-p384", "EC P-384"}, {"ec-p521", "EC P-521"},
    {NULL, NULL}};

static const struct {
	const char *step, *text;
} steps[] = {
    {"waits", "New keys are made; their certificates are still to come."},
    {"announced", "The new keys are announced to partners; the old ones are still used."},
    {"overlap", "The new keys are used; what is encrypted to the old ones is still opened."},
    {"done", "It is done."},
};

static void rollover(json_t *o)
{
	const char *step = page_json_str(o, "step"), *words = page_json_str(o, "keys");

	for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
		if (strcmp(steps[i].step, step) == 0)
			page_json_set(o, "words", json_string(steps[i].text));
	page_json_set(o, "under_way", json_boolean(strcmp(step, "waits") == 0 || strcmp(step, "announced") == 0));
	page_json_set(o, "of_mail", json_boolean(strcmp(words, "mail") == 0));
}

void page_domains_one(const struct page_request *rq, json_t *model)
{
	json_t *without = page_json_list(model, "list.without"), *o;
	bool signs = true;
	size_t i;

	keys(model);
	page_json_set(model, "domain", page_json_text(rq->segments[0]));
	json_array_foreach(without, i, o) if (strcmp(page_json_str(o, "domain"), rq->segments[0]) == 0)
	{
		page_json_set(model, "why", page_json_text(page_json_str(o, "why")));
		signs = false;
	}
	json_array_foreach(page_json_list(model, "show.rollovers"), i, o) rollover(o);
	page_json_set(model, "headline",
	    page_json_textf(signs ? "Mail of %s is signed" : "Mail of %s cannot be signed", rq->segments[0]));
	page_form_fill(rq, model, "", "days organisation address content-text");
	page_form_choices(model, "modes", modes, page_args_field(rq, "mode"));
	page_form_choices(model, "algos", algos, page_args_field(rq, "algo"));
}

void page_domains_made(const struct page_request *rq, json_t *model)
{
	json_t *made = page_json_list(model, "result.keys"), *requests = page_json_list(model, "result.requests");
	size_t n = json_array_size(made);

	page_json_set(model, "domain", page_json_text(rq->segments[0]));
	page_json_set(model, "all", json_incref(n ? made : requests ? requests : json_null()));
	page_json_set(model, "headline",
	    page_json_is(model, "result.step") && page_args_field(rq, "cancel")[0]
		? json_string("The change of keys is taken back")
	    : n > 0 && page_args_field(rq, "opened")[0]
		? page_json_textf("The key of the PKCS#12 file is used for %s from now on", rq->segments[0])
	    : n > 0 ? page_json_textf("%zu new keys are made", n)
	    : json_array_size(requests) > 0
		? page_json_textf("%zu requests wait for the authority's answer", json_array_size(requests))
		: json_string("The change of keys is under way"));
}

void page_domains_opened(const struct page_request *rq, json_t *model)
{
	json_t *o;
	size_t i;

	json_array_foreach(page_json_list(model, "result.certificates"), i, o) page_certs_facts(o);
	page_json_set(model, "domain", page_json_text(rq->segments[0]));
	page_json_set(model, "headline", page_json_textf("Keys for %s out of a PKCS#12 file", rq->segments[0]));
}

void page_domains_retire(const struct page_request *rq, json_t *model)
{
	json_t *o;
	size_t i;

	keys(model);
	page_json_set(model, "domain", page_json_text(rq->segments[0]));
	json_array_foreach(page_json_list(model, "list.identities"), i,
	    o) if (strcmp(page_json_str(o, "key_id"), page_args_field(rq, "key")) == 0)
	    page_json_set(model, "key", json_deep_copy(o));
}
